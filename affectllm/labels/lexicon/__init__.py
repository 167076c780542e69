"""The shelf of languages: one YAML page each, called by its BCP-47 tag; see ``labels.language`` for what it says."""
