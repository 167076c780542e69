"""Checks of checkpoint folders and adapters before their weights are loaded."""
