"""Units of what is measured, which the entry module knows without the libraries that measure."""

ACOUSTIC_UNITS = {
    "duration": "s",
    "peak_frequency": "Hz",
    "centroid": "Hz",
    "bandwidth": "Hz",
    "entropy": "",
    "level": "dB",
}
"""What `acoustics` measures, and in what."""

COPY_UNITS = {
    "memorised": "probability",
    **dict.fromkeys(("copied", "copied_low", "copied_high"), "net share"),  # less chance, so it may be negative
    **dict.fromkeys(("training_distance", "unseen_distance"), "dB"),
    **dict.fromkeys(("training_clips", "unseen_clips"), "clips"),
}
"""Scores of `memorisation`, and in what they are."""
