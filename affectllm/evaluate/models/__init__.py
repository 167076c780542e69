"""The lm-eval model classes: weights in this process, an endpoint, and reference models."""
