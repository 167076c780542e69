"""Model families, one file each, found by name; see ``affectllm.model.family``."""
