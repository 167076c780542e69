"""The lexicon: one YAML page per language, named by its BCP-47 tag; ``labels.language`` documents its fields."""
