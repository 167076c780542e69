"""What is lm-eval's own: pages that it reads without us, and its arguments."""
