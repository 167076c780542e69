"""Planted copies among real clips and texts: how many of them `affectllm leaks` finds, and what else it takes for one."""
