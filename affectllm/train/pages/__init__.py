"""Parts of a recipe with checks of their own: towers, rewards, evaluation, the choice of a checkpoint."""
