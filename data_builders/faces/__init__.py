"""Faces on pictures and in short films, judged by what they express."""
