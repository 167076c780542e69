"""Distillation: a student learns from the distributions of a teacher, or from answers that a model has given."""
