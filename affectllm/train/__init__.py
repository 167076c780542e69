"""Training: recipes, the collator, and one file per method. Importing this package is cheap."""

from affectllm.train.recipe import Recipe, load_recipe

__all__ = ["Recipe", "load_recipe"]
