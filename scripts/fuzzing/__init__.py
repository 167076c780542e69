"""Broken clips and pictures, made by a seed and opened one by one."""
