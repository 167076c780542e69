"""Hints: what small models found in a clip, in words that stand in the prompt of a large one."""
