"""What recordings bring that no bird made: rumble, offsets, hiss, channels, misread bytes; and the words for it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import Filter
from canarygan_core.audio.inspection import Inspection
from canarygan_core.datasets.survey import Measured

LOW = 300.0
"""Frequency below which few birds sing, and hum, wind and handling noise lie, Hz."""

HIGHPASS = 500.0
"""The cut-off that is advised against it, which takes 44 dB out at `LOW`, Hz."""

RUMBLE = 0.5
"""Mean share of the energy of a class below `LOW` that is worth a word."""

OFFSET = 0.2
"""Mean of a file as a share of its peak that is worth a word."""

LOST = 0.5
"""Share of the energy of a file that the learnt rate loses which is worth a word."""

UNLIKE = 0.5
"""Correlation of channels below which they are unlike."""

MANY = 0.2
"""Share of the files that must look as if two channels were read as one: a short call may do so by chance."""

RATES = (22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000, 128000, 176400, 192000, 250000, 384000, 500000)
"""Rates that are offered, Hz."""


def measure_low(clip: NDArray[np.float32], rate: int) -> float:
    """The share of the energy of a clip (samples,) below `LOW`."""
    power = np.square(np.abs(np.fft.rfft(clip)))
    return float(power[np.fft.rfftfreq(len(clip), 1 / rate) < LOW].sum() / max(power.sum(), 1e-30))


def summarise(measured: Sequence[Measured]) -> dict[str, Any]:
    """The faults of some files, JSON values: names of files, shares, Hz."""
    pairs: list[tuple[str, Inspection]] = [(str(one.source), one.file.inspected) for one in measured]
    shares = {one.source.label: [] for one in measured}  # type: dict[str, list[float]]
    for one in measured:
        shares[one.source.label].append(one.low)
    lost = [one for _, one in pairs if one.lost > LOST]
    return {
        "below_300_hz": {label: round(float(np.mean(values)), 4) for label, values in shares.items()},
        "offset": {name: round(one.offset, 4) for name, one in pairs if one.offset >= OFFSET},
        "beyond_rate": {name: round(one.lost, 4) for name, one in pairs if one.lost > LOST},
        "rate_kept": _choose_rate([one.rate_kept for one in lost], [one.file.native_rate for one in measured]),
        "unlike_channels": {name: round(one.likeness, 4) for name, one in pairs if one.likeness < UNLIKE},
        "swapped_bytes": [name for name, one in pairs if one.swapped],
        "interleaved": [name for name, one in pairs if one.interleaved],
    }


def describe(faults: dict[str, Any], files: int, rate: int, filtering: Filter | None) -> list[str]:
    """A warning for each fault that is worth a word, with the flag that helps.

    Args:
        faults: as `summarise` gives them.
        files: how many there are.
        rate: that is learnt, Hz.
        filtering: what is taken out of the clips; None where no flag of the dataset says it.
    """
    warnings = []
    rumbling = {label: share for label, share in faults["below_300_hz"].items() if share > RUMBLE}
    if rumbling:
        shares = ", ".join(f"{label} {share:.0%}" for label, share in list(rumbling.items())[:8])
        more = f" and {len(rumbling) - 8} more" if len(rumbling) > 8 else ""
        remedy = "" if filtering is None else f": unless the bird is as low, --highpass {HIGHPASS:g} takes it out"
        warnings.append(f"most energy below {LOW:g} Hz, as of hum or wind, in {shares}{more}{remedy}")
    if faults["offset"]:
        most, count = max(faults["offset"].values()), len(faults["offset"])
        remedy = "" if filtering is None else ": leave out --no-remove-mean, which keeps it"
        remedy = ": taken out on reading" if filtering is not None and filtering.remove_mean else remedy
        warnings.append(f"{count} of {files} with an offset of up to {most:.0%} of the peak{remedy}")
    if faults["beyond_rate"]:
        lost, count = float(np.median(list(faults["beyond_rate"].values()))), len(faults["beyond_rate"])
        remedy = f"--sampling-rate {faults['rate_kept']} keeps it"
        warnings.append(f"{count} of {files} with {lost:.0%} of the energy above {rate / 2000:g} kHz, lost: {remedy}")
    if faults["unlike_channels"]:
        middle, count = float(np.median(list(faults["unlike_channels"].values()))), len(faults["unlike_channels"])
        remedy = "--channel 1 takes the first, not the mean of all"
        warnings.append(
            f"{count} of {files} with channels that are unlike (correlation {round(middle, 2) + 0:.2f}): {remedy}"
        )
    if count := len(faults["swapped_bytes"]):
        remedy = "write them anew from their source with the other byte order"
        warnings.append(f"{count} of {files} are noise that is sound with its bytes swapped: {remedy}")
    if len(faults["interleaved"]) > MANY * files:
        remedy = "write them anew from their source with the right number of channels"
        warnings.append(f"{len(faults['interleaved'])} of {files} seem to be two channels read as one: {remedy}")
    return warnings


def _choose_rate(needed: Sequence[float], native: Sequence[int]) -> int | None:
    """The least usual rate that keeps what most of the files have, no higher than theirs; None where none needs it."""
    if not needed:
        return None
    wanted = float(np.percentile(needed, 90))
    return min((rate for rate in (*RATES, max(native)) if rate >= wanted), default=max(native))
