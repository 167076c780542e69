"""affectllm: instruction tuning and evaluation of multimodal LLMs on affect.

Importing this package is free: it loads no torch, no transformers and no datasets, and touches no environment.
"""

__version__ = "0.1.0"
