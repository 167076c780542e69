"""Commands that have models judge: generated clips, replies, and talks with simulated users."""
