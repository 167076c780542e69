"""Pages that show samples and conversations with their clips."""
