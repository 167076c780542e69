"""Corpora, one Python file each, in sections: ``data_builders/<section>/<corpus>.py``."""
