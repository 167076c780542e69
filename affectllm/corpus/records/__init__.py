"""Records of other people's files, each with its place: separated text, workbooks, Parquet, JSON, lines."""
