"""Perceptual fingerprints of sounds, pictures and films, to find copies of clips."""
