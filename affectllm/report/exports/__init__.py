"""Tables and figures of a report as files: CSV and LaTeX, PNG, PDF and SVG."""
