"""Metrics of written answers: replies, causes, varied words."""
