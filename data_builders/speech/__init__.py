"""Voices that act or express an emotion, clip by clip."""
