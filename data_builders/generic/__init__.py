"""Your own data, described by a page beside it."""

from affectllm.data_builders.generic.generic import described

__all__ = ["described"]
