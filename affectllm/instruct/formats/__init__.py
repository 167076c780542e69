"""Export formats of other trainers: each file holds a ``FORMAT``."""
