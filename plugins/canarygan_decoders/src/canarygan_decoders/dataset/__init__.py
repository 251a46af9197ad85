"""What decoders learn from: labelled features, altered copies, garbage classes, their files. No decoder lives here."""

SUPPLIED = ("sampling_rate", "max_length", "gain")
"""Options of a dataset that follow from the features."""
