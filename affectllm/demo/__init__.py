"""A page in the browser to try a model on a camera, a microphone, a file or words, and to compare two of them blindly.

Nothing is imported here, so that importing the package is cheap.
"""
