"""Training pages, one YAML each: recipes/<model family>/<name>.yaml; recipes/launch/ holds accelerate and DeepSpeed configs."""
