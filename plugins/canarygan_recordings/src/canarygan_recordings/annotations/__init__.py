"""Annotations: read from files by crowsetta, written, and brought together with the recordings that they are of."""
