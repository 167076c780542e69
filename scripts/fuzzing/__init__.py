"""Fuzz the decoders: break clips and pictures by a seed and open them one by one."""
