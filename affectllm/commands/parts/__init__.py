"""What the commands are made of: their common options, and work of several rooms."""
