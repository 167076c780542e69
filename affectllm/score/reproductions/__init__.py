"""Published numbers and the files from which they follow: one YAML page each, and beside it what was seen."""
