"""Sound: listing, reading, writing, filtering, resampling and looking at it. Nothing here knows a label or a model."""

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from canarygan_core.audio.options import NOTHING, Filter

if TYPE_CHECKING:
    from canarygan_core.audio.alignment import align
    from canarygan_core.audio.conforming import Hearing, conform
    from canarygan_core.audio.extent import find_extent
    from canarygan_core.audio.filtering import convert, hear, resample
    from canarygan_core.audio.listing import SUFFIXES, list_sounds
    from canarygan_core.audio.opening import open_recording
    from canarygan_core.audio.problems import Problem, UnusableAudio
    from canarygan_core.audio.soundfiles import SILENT, Recording, read, write
    from canarygan_core.audio.spectrogram import compute_spectrogram

__all__ = [
    "NOTHING",
    "SILENT",
    "SUFFIXES",
    "Filter",
    "Hearing",
    "Problem",
    "Recording",
    "UnusableAudio",
    "align",
    "compute_spectrogram",
    "conform",
    "convert",
    "find_extent",
    "hear",
    "list_sounds",
    "open_recording",
    "read",
    "resample",
    "write",
]

_ROOMS = {
    "alignment": ("align",),
    "conforming": ("Hearing", "conform"),
    "extent": ("find_extent",),
    "filtering": ("convert", "hear", "resample"),
    "listing": ("SUFFIXES", "list_sounds"),
    "opening": ("open_recording",),
    "problems": ("Problem", "UnusableAudio"),
    "soundfiles": ("SILENT", "Recording", "read", "write"),
    "spectrogram": ("compute_spectrogram",),
}
"""Where each name is. They are imported when they are used: the options of datasets are needed before any sound is."""


def __getattr__(name: str) -> Any:
    if name == "resampled":
        warnings.warn("resampled is now resample. The old name goes in 0.3.", DeprecationWarning, stacklevel=2)
        name = "resample"
    for room, names in _ROOMS.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{room}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
