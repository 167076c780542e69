"""Training pages, one YAML each: recipes/<model family>/<name>.yaml; recipes/launch/ is for accelerate."""
