"""The shelf of formats in which other trainers read conversations: each file holds a ``FORMAT``."""
