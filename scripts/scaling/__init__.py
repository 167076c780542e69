"""What scripts/scale measures."""
