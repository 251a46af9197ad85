"""Tells what is wrong with a folder of clips, before a training does."""

import math
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from canarygan_core.audio import Problem, Recording, listed
from canarygan_core.components import Answer
from canarygan_core.datasets.decoding import pairs
from canarygan_core.datasets.folder import Folder
from canarygan_core.datasets.survey import (
    Survey,
    duplicates,
    examine,
    needs_cut,
    needs_padding,
    survey,
    unit,
)

FAINT = 1e-4
"""Peak below which a sound is hardly above the last bit of a 16-bit file; full scale is 1."""

IMBALANCE = 5
"""The largest class may have this many times the clips of the smallest."""

_BLOCK = 0.005  # seconds over which the envelope is averaged
_FLOOR = 1e-4  # -40 dB in power


@dataclass(frozen=True)
class Measured:
    """What is kept of one usable file: `sound` is the length of what is heard in it, in seconds."""

    source: str
    label: str
    rate: int
    channels: int
    encoding: str
    seconds: float
    sound: float
    peak: float
    rms: float
    clipped: bool
    padded: bool
    cut: bool
    digest: str


def check_data(
    *,
    data_dir: Annotated[Path, Parameter(alias="-d")],
    sampling_rate: int = 16000,
    max_length: float = 1.0,
) -> Answer:
    """Tell what is wrong with a folder of clips.

    Reads every file as a training would, and exits with 1 where the folder dataset would refuse the set.

    Args:
        data_dir: Folder that holds one folder of sound files a class, named by its label, path.
        sampling_rate: Sampling rate to bring all clips to, Hz.
        max_length: Length of a clip, seconds.
    """
    Folder(data_dir=data_dir, sampling_rate=sampling_rate, max_length=max_length)  # refuses options out of range
    found = survey(data_dir)
    measured, problems = [], []
    for source, result in examine(found.sources, sampling_rate, max_length, "Checking clips"):
        if isinstance(result, Problem):
            problems.append(result)
        else:
            measured.append(_measure(str(source), source.label, result, round(max_length * sampling_rate)))
    data = _data(found, measured, problems, sampling_rate, max_length)
    return Answer(_text(data, problems, data_dir), data, 0 if data["usable"] else 1)


def sound_length(audio: NDArray[np.float32], rate: int) -> float:
    """Seconds from the first to the last 5 ms of sound (samples,) within 40 dB of the loudest, clear of the background.

    The background is the tenth percentile of all 5 ms; what stands 6 dB above it is clear of it.
    """
    block = max(1, round(_BLOCK * rate))
    power = np.square(np.pad(audio, (0, -len(audio) % block))).reshape(-1, block).mean(axis=1)
    background = min(4 * np.percentile(power, 10), 0.25 * power.max())  # a clip full of sound has no background
    heard = np.flatnonzero(power >= max(_FLOOR * power.max(), background))
    return float(min((heard[-1] - heard[0] + 1) * block, len(audio)) / rate)


def _measure(source: str, label: str, recording: Recording, samples: int) -> Measured:
    return Measured(
        source=source,
        label=label,
        rate=recording.native_rate,
        channels=recording.channels,
        encoding=f"{recording.format} {recording.subtype}",
        seconds=recording.seconds,
        sound=sound_length(recording.audio, recording.rate),
        peak=recording.peak,
        rms=recording.rms,
        clipped=recording.clipped,
        padded=needs_padding(recording, samples),
        cut=needs_cut(recording, samples),
        digest=recording.digest,
    )


def _data(
    found: Survey, measured: Sequence[Measured], problems: Sequence[Problem], rate: int, max_length: float
) -> dict[str, Any]:
    """The report for programs; seconds, and dBFS."""
    labels = sorted({source.label for source in found.sources} | set(found.empty))
    across, within = duplicates({one.source: one.digest for one in measured})
    data: dict[str, Any] = {
        "path": str(found.folder),
        "sampling_rate": rate,
        "max_length": max_length,
        "files": len(found.sources),
        "clips": len(measured),
        "classes": [_summary(label, [one for one in measured if one.label == label]) for label in labels],
        "all": _summary("", measured),
        "rates": _counts(one.rate for one in measured),
        "channels": _counts(one.channels for one in measured),
        "encodings": _counts(one.encoding for one in measured),
        "padded": sum(one.padded for one in measured),
        "cut": sum(one.cut for one in measured),
        "clipped": [one.source for one in measured if one.clipped],
        "faint": [one.source for one in measured if one.peak < FAINT],
        "upsampled": sum(one.rate < rate for one in measured),
        "duplicates": {"across_classes": across, "within_a_class": within},
        "problems": [{"path": one.path, "kind": one.kind, "what": one.what, "advice": one.advice} for one in problems],
        "empty_classes": list(found.empty),
        "ignored": {"beside": found.loose, "nested": found.nested, "other": found.others},
        "notes": found.ignored,
    }
    data["warnings"] = _warnings(data)
    data["usable"] = not problems and not found.empty
    return data


def _summary(label: str, measured: Sequence[Measured]) -> dict[str, Any]:
    """Spread of lengths and levels over some clips."""
    return {
        "label": label,
        "clips": len(measured),
        "seconds": _spread([one.seconds for one in measured]),
        "sound_seconds": _spread([one.sound for one in measured]),
        "peak_dbfs": _spread([20 * math.log10(one.peak) for one in measured]),
        "rms_dbfs": _spread([20 * math.log10(one.rms) for one in measured]),
    }


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    named = {"min": min(values), "median": float(np.median(values)), "max": max(values)}
    return {name: round(value, 4) for name, value in named.items()}


def _counts(values: Any) -> dict[str, int]:
    return {str(value): count for value, count in Counter(values).most_common()}


def _warnings(data: dict[str, Any]) -> list[str]:
    """What a user should know of a set that can be used all the same."""
    said = []
    sizes = {one["label"]: one["clips"] for one in data["classes"] if one["clips"]}
    if sizes and min(sizes.values()) * IMBALANCE < max(sizes.values()):
        few, many = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
        said.append(f"unbalanced: {unit(sizes[few], 'clip')} of {few}, {sizes[many]} of {many}")
    for groups, where in (("across_classes", "in more than one class"), ("within_a_class", "within a class")):
        if found := data["duplicates"][groups]:
            said.append("\n".join([f"{unit(len(found), 'sound')} found more than once {where}:", *pairs(found)]))
    if data["clipped"]:
        said.append(f"{len(data['clipped'])} touch full scale, perhaps clipped: {_some(data['clipped'])}")
    if data["faint"]:
        said.append(f"{len(data['faint'])} hardly above silence (peak below -80 dBFS): {_some(data['faint'])}")
    if data["cut"]:
        said.append(
            f"{data['cut']} longer than {data['max_length']:g} s: cut at the end, unless --max-length is raised"
        )
    if data["upsampled"]:
        nyquist = min(int(rate) for rate in data["rates"]) / 2000
        said.append(
            f"{data['upsampled']} of a lower rate than {data['sampling_rate']} Hz: nothing above {nyquist:g} kHz"
        )
    return said


def _some(names: Sequence[str], shown: int = 3) -> str:
    return ", ".join(names[:shown]) + (", ..." if len(names) > shown else "")


def _text(data: dict[str, Any], problems: Sequence[Problem], data_dir: Path) -> str:
    """The report for people: a row a class, what the set is, what to mind, and a verdict."""
    classes = data["classes"]
    lines = [f"{data['path']}: {unit(data['files'], 'file')} in {unit(len(classes), 'class', 'classes')}", ""]
    width = max(5, *(len(one["label"]) for one in classes))
    lines.append(
        f"{'class':{width}}  clips  {'sound, ms':>14}  {'peak, dBFS':>12}  {'rms, dBFS':>12}  (min/median/max)"
    )
    for one in [*classes, data["all"]] if len(classes) > 1 else classes:
        columns = (_slashed(one["sound_seconds"], 1000), _slashed(one["peak_dbfs"]), _slashed(one["rms_dbfs"]))
        sound, peak, rms = columns
        lines.append(f"{one['label'] or 'all':{width}}  {one['clips']:5}  {sound:>14}  {peak:>12}  {rms:>12}".rstrip())
    if data["clips"]:
        lengths = data["all"]["seconds"]
        lines += [
            "",
            f"Files     {_tally(data['encodings'])}; {_tally(data['channels'], ' ch')}; {_tally(data['rates'], ' Hz')}",
            f"Lengths   {lengths['min']:.3g} / {lengths['median']:.3g} / {lengths['max']:.3g} s; in clips of "
            f"{data['max_length']:g} s {data['padded']} padded with zeros, {data['cut']} cut",
        ]
    for heading, said in (("Ignored", data["notes"]), ("Warnings", data["warnings"])):
        lines += ["", heading, *(f"  {line}" for line in "\n".join(said).split("\n"))] if said else []
    if problems:
        kinds = Counter(one.kind for one in problems)
        lines += ["", f"Unusable  {_tally(dict(kinds.most_common()))}", *listed(problems)]
    if data["empty_classes"]:
        lines += ["", f"Empty classes  {', '.join(data['empty_classes'])}"]
    return "\n".join([*lines, "", _verdict(data, data_dir)])


def _slashed(spread: dict[str, float] | None, times: float = 1) -> str:
    return "-" if spread is None else "/".join(str(round(spread[name] * times)) for name in ("min", "median", "max"))


def _tally(counts: dict[str, int], suffix: str = "") -> str:
    """`16000 Hz` where all are alike, else each with its count."""
    if len(counts) == 1:
        return f"{next(iter(counts))}{suffix}"
    return ", ".join(f"{count} x {value}{suffix}" for value, count in counts.items())


def _verdict(data: dict[str, Any], data_dir: Path) -> str:
    train = f"canarygan train-gan -d {shlex.quote(str(data_dir))} --preset small"
    for field, flag in (("sampling_rate", "--sampling-rate"), ("max_length", "--max-length")):
        if data[field] != getattr(Folder, field):
            train += f" {flag} {data[field]:g}"
    if data["usable"]:
        minding = f" with {unit(len(data['warnings']), 'warning')}" if data["warnings"] else ""
        return f"Usable{minding}. Next: {train}"
    bad = [unit(len(data["problems"]), "file")] if data["problems"] else []
    bad += [unit(len(data["empty_classes"]), "class", "classes") + " without files"] if data["empty_classes"] else []
    if not data["clips"]:
        return f"Not usable: {' and '.join(bad)}, and nothing is left. Begin from the sources again."
    return f"Not usable as it is: {' and '.join(bad)}. Mend or remove them, or leave them out: {train} --skip-unusable"
