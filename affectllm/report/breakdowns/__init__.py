"""What a score is made of: by group of items, by confidence, against other runs on the same items."""
