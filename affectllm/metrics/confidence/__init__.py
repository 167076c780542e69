"""Whether a model knows when it is right, and answers alike when it is asked otherwise."""
