"""Linear probes: what the frozen representations of a model hold, layer by layer."""
