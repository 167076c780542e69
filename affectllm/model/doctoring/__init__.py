"""The doctor: what of a machine matters for affectllm, and what to do about it."""
