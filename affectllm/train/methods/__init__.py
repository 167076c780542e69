"""Training methods, one file each: ``METHOD`` in ``<name>.py`` is what a recipe calls ``method: <name>``."""
