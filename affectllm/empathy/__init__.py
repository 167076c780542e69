"""Empathy in dialogue: conversations with simulated users, and replies judged whole."""
