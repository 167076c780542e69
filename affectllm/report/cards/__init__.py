"""Cards of models and data sets for the Hub, and what their licences allow."""
