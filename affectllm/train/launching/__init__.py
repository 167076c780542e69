"""Launchers beside accelerate's own: scripts for several machines, and what their processes need to be told."""
