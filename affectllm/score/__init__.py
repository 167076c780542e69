"""Scoring tables of predictions from the command line: files in, a result out."""
