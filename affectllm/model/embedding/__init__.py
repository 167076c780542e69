"""Embeddings of conversations, clips and texts: any family, or a CLIP-like folder, as a ``SentenceTransformer``."""
