"""Reward functions for TRL's ``reward_funcs``: by reading, by a reward model, within groups."""
