"""Tasks, one lm-eval YAML each; suites are lm-eval groups."""
