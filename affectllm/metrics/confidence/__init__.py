"""Metrics of confidence: calibration, selective accuracy, and robustness to rewording and missing modalities."""
