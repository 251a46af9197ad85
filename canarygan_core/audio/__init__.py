"""Sound: listing, reading, writing, resampling and looking at it. Nothing here knows a label or a model."""

import warnings
from typing import Any

from canarygan_core.audio.conforming import conform
from canarygan_core.audio.extent import find_extent
from canarygan_core.audio.listing import SUFFIXES, list_sounds
from canarygan_core.audio.problems import Problem, UnusableAudio
from canarygan_core.audio.soundfiles import SILENT, Recording, read, resample, write
from canarygan_core.audio.spectrogram import compute_spectrogram

__all__ = [
    "SILENT",
    "SUFFIXES",
    "Problem",
    "Recording",
    "UnusableAudio",
    "compute_spectrogram",
    "conform",
    "find_extent",
    "list_sounds",
    "read",
    "resample",
    "write",
]


def __getattr__(name: str) -> Any:
    if name == "resampled":
        warnings.warn("resampled is now resample. The old name goes in 0.3.", DeprecationWarning, stacklevel=2)
        return resample
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
