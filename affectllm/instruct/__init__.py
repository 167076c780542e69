"""Instruction data: templates that ask and read, mixtures, conversations. Wording lives in ``prompts/*.yaml``."""

from affectllm.instruct.template import Asked, Template, load_template
from affectllm.instruct.wording import template_names
from affectllm.labels.reading import Unreadable

__all__ = ["Asked", "Template", "Unreadable", "load_template", "template_names"]
