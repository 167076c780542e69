# syntax=docker/dockerfile:1
# Two images: `docker build --target cpu .` to try, score and test, `--target cuda` to train. See docs/how-to/container.md.

FROM python:3.11-slim-bookworm AS cpu
# A compiler, for DeepSpeed's operators; FFmpeg comes with PyAV.
RUN apt-get update && apt-get install --yes --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /affectllm
COPY constraints.txt ./
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu "$(grep -E '^torch==' constraints.txt)" \
    && pip install --no-cache-dir --no-deps "$(grep -E '^torchvision==' constraints.txt)"
COPY . .
# Without a corpus mounted, the folder is there and empty.
RUN pip install --no-cache-dir ".[train]" --constraint constraints.txt && mkdir /data
ENV AFFECTLLM_CACHE=/cache/affectllm HF_HOME=/cache/huggingface AFFECTLLM_CORPORA=/data
VOLUME ["/cache", "/runs"]
WORKDIR /runs
ENTRYPOINT ["affectllm"]

FROM pytorch/pytorch:2.13.0-cuda13.0-cudnn9-devel AS cuda
WORKDIR /affectllm
COPY . .
# The image has torch for its CUDA; it stays.
RUN pip install --no-cache-dir ".[train,trackers]" --constraint constraints.txt && mkdir /data
ENV AFFECTLLM_CACHE=/cache/affectllm HF_HOME=/cache/huggingface AFFECTLLM_CORPORA=/data
VOLUME ["/cache", "/runs"]
WORKDIR /runs
ENTRYPOINT ["affectllm"]
