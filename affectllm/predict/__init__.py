"""Asking a model about clips and texts that belong to no corpus: predictions for many, and a chat about some.

Nothing is imported here, so that importing the package is cheap.
"""
