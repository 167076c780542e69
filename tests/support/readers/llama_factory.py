"""Run inside an environment with LLaMA-Factory: reads an export with its own loader and opens every file with it."""

import cpu_wheels  # noqa: F401, I001
import json
import sys

from llamafactory.data.loader import _load_single_dataset
from llamafactory.data.mm_plugin import BasePlugin
from llamafactory.data.parser import get_dataset_list
from llamafactory.hparams import DataArguments, ModelArguments
from transformers import TrainingArguments

folder, name = sys.argv[1], sys.argv[2]
data = DataArguments(dataset_dir=folder, dataset=name, template="qwen", overwrite_cache=True)
(attributes,) = get_dataset_list([name], folder)
args = TrainingArguments(output_dir="/nowhere", report_to="none")
rows = _load_single_dataset(attributes, ModelArguments(model_name_or_path="none"), data, args)
plugin = BasePlugin(image_token="<i>", video_token="<v>", audio_token="<a>")
for row in rows:
    files = {kind: row[f"_{kind}"] or [] for kind in ("images", "videos", "audios")}
    messages = row["_prompt"] + row["_response"]
    plugin._validate_messages(messages, **files)  # raises where tags and files differ in number
    pixels = {"image_max_pixels": 10**6, "image_min_pixels": 1}
    images = plugin._regularize_images(files["images"], **pixels)["images"]
    videos = plugin._regularize_videos(files["videos"], **pixels, video_fps=2.0, video_maxlen=8)
    audios = plugin._regularize_audios(files["audios"], sampling_rate=16_000)["audios"]
    record = {"messages": messages, **files, "sizes": [image.size for image in images]}
    record |= {"samples": [len(wave) for wave in audios], "seconds": videos["durations"]}
    print(json.dumps(record))
