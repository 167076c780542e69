"""lm-eval tasks, one YAML each."""
