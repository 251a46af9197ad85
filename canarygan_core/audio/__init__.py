"""Sound: files and archives read, listed, resampled and written. Nothing here knows a label or a model."""

from canarygan_core.audio.extent import find_extent
from canarygan_core.audio.soundfiles import (
    SILENT,
    SUFFIXES,
    Problem,
    Recording,
    UnusableAudio,
    listed,
    read,
    resampled,
    write,
)
from canarygan_core.audio.spectrogram import compute_spectrogram

__all__ = [
    "SILENT",
    "SUFFIXES",
    "Problem",
    "Recording",
    "UnusableAudio",
    "compute_spectrogram",
    "find_extent",
    "listed",
    "read",
    "resampled",
    "write",
]
