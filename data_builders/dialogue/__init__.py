"""Conversations, spoken or written, turn by turn."""
