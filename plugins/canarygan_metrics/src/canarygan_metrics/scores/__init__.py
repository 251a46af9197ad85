"""Metrics that compare what the classifier makes of clips, each beside its formula. Nothing is trained or written."""
