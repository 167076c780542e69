"""What is made of clips and conversations once, and kept."""
