"""Readers of third-party records, each with its location: separated text, workbooks, Parquet, JSON, lines."""
