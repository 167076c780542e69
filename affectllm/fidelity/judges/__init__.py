"""Judges of clips: shallow models, models of ours and behind endpoints, classifiers of transformers' pipelines."""
