"""People on film with voice and words, and films that move those who watch them."""
