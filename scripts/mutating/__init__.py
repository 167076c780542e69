"""What `scripts/mutants` does to one room."""
