"""Fingerprints of sounds, pictures and films, by which copies are told from other clips."""
