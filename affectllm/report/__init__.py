"""Reports and releases: tables, figures, one HTML page, model cards, publishing. Importing this package is cheap."""
