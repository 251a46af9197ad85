"""Sound: files and archives read, listed, resampled and written. Nothing here knows a label or a model."""

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

__all__ = ["SILENT", "SUFFIXES", "Problem", "Recording", "UnusableAudio", "listed", "read", "resampled", "write"]
