"""Decode clips and pictures, with every failure contained: the only place that opens them."""
