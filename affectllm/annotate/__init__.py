"""Annotation of samples by models, step by step; nothing is imported here, so that importing the package is cheap."""
