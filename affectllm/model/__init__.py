"""Models: families, media decoding (the only place that opens a clip), tiny models, generation, self-tests.

Importing this package is light; ``affectllm.model.load`` and its neighbours import torch and transformers.
"""
