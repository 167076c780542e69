"""Composite models: a vision encoder, an audio encoder and a language model of three checkpoints, joined by a fusion.

Configurations, models and processors are registered with transformers' Auto classes when ``register`` is called.
"""

from __future__ import annotations

import functools


@functools.cache
def register() -> None:
    """Register the composite classes with transformers' Auto classes, once a process."""
    import transformers

    from affectllm.model.composite.configuration import CONFIGURATIONS
    from affectllm.model.composite.network import MODELS
    from affectllm.model.composite.processor import PROCESSORS

    for configuration, (base, model), processor in zip(CONFIGURATIONS, MODELS, PROCESSORS, strict=True):
        transformers.AutoConfig.register(configuration.model_type, configuration)
        transformers.AutoModel.register(configuration, base)
        transformers.AutoModelForMultimodalLM.register(configuration, model)
        transformers.AutoProcessor.register(configuration, processor)
