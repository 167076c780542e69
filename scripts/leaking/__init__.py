"""Planted copies among real clips and texts: how many of them are found, and what else is taken for one."""
