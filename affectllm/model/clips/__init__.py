"""Clips and pictures opened, behind a fence: the only place that decodes them."""
