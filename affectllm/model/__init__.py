"""Models: families, media decoding (the only place that opens a clip), tiny models, generation, reference checks.

Importing this package is light; ``affectllm.model.load`` and its neighbours import torch and transformers.
"""
