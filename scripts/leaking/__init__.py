"""Measure detection rates: how many copies planted among real clips and texts are found, and false matches."""
