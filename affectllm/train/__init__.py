"""Training: recipes, the collator, and one file a method. Importing this package is light."""

from affectllm.train.recipe import Recipe, load_recipe

__all__ = ["Recipe", "load_recipe"]
