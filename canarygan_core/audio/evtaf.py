"""Recordings of evTAF, `.cbin`: samples without a header, described by a text file `.rec` beside them."""

import re
from pathlib import Path
from typing import Any

from canarygan_core.errors import CanaryganError

MOST = 1 << 20
"""Bytes of a `.rec`, at most."""

SUFFIX = ".cbin"
"""How the names of such recordings end, in lower case."""


def is_evtaf(path: Path) -> bool:
    """Whether a file is such a recording. Its song is on the first channel; others are of the trigger or an echo."""
    return path.suffix.lower() == SUFFIX


def describe(path: Path) -> dict[str, Any]:
    """What libsndfile has to be told of a recording to read it: nothing, unless it is a `.cbin`.

    A `.cbin` holds big-endian 16-bit samples, those of all channels in turn. Their rate and the number of channels
    stand in `NAME.rec`, in the lines `ADFREQ = 32000` and `Chans = 2`.

    Raises:
        CanaryganError: where the `.rec` is missing or does not tell.
    """
    if not is_evtaf(path):
        return {}
    beside = path.with_suffix(".rec")
    try:
        text = beside.read_text(encoding="latin-1") if beside.is_file() and beside.stat().st_size < MOST else None
    except OSError:
        text = None
    if text is None:
        raise CanaryganError(
            f"{path} says nothing of its rate and channels, and there is no {beside.name} beside it that does. "
            "Copy the .rec files with the .cbin files."
        )
    rate = re.search(r"^\s*ADFREQ\s*=\s*(\d+)", text, re.MULTILINE)
    channels = re.search(r"^\s*Chans\s*=\s*(\d+)", text, re.MULTILINE)
    if rate is None or channels is None or not int(rate[1]) or not int(channels[1]):
        raise CanaryganError(f"{beside} does not tell the rate and channels: it needs the lines ADFREQ = and Chans =.")
    layout = {"samplerate": int(rate[1]), "channels": int(channels[1])}
    return {"format": "RAW", "subtype": "PCM_16", "endian": "BIG", **layout}
