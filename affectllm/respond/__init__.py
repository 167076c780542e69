"""Generating replies to conversations. Nothing is imported here, so that importing the package is cheap."""
