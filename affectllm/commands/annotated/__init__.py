"""Commands by which models and small tools say something of samples: annotations, hints."""
