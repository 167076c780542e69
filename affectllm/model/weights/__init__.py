"""Checkpoint folders and adapters, looked at before their weights are loaded."""
