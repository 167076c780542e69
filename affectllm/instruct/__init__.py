"""Instructions: templates that ask and read, mixtures, conversations. Wording lives in ``prompts/*.yaml``."""

from affectllm.instruct.reading import Reading, Unreadable
from affectllm.instruct.template import Template, load_template, template_names

__all__ = ["Reading", "Template", "Unreadable", "load_template", "template_names"]
