"""Fidelity of generated media: judges listen and look, metrics score, and the judges answer for themselves."""
