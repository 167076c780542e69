"""Making hints: small models and tools look at the samples of a corpus, and say in words what they find."""
