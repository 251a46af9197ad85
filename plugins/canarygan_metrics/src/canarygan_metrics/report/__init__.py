"""The report: a run gathered into one HTML file."""
