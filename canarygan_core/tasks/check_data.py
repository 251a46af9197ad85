"""`check-data`: tell what is wrong with a folder of clips, before a training does."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.audio import Filter, Problem, Recording, find_extent
from canarygan_core.audio.inspection import inspect
from canarygan_core.audio.problems import list_items
from canarygan_core.components import Answer, Dataset, Slot
from canarygan_core.datasets import faults
from canarygan_core.datasets.findings import describe_duplicates, describe_few, find_duplicates, format_count, shorten
from canarygan_core.datasets.folder import Folder
from canarygan_core.datasets.loaded import examine_clips, survey_clips
from canarygan_core.datasets.sheet import CLIPS, choose_evenly, draw_sheet
from canarygan_core.datasets.survey import Measured, Source, Survey, examine, survey
from canarygan_core.plugins.options import spell
from canarygan_core.runs import files

FAINT = 1e-4
"""Peak below which a sound is hardly above the last bit of a 16-bit file; full scale is 1."""

IMBALANCE = 5
"""The largest class may have this many times the clips of the smallest."""


def check_data(*, dataset: Annotated[Dataset, Slot("folder")], sheet: Path | None = None) -> Answer:
    """Tell what is wrong with a folder of clips, or with the clips of another dataset.

    Reads every file as a training would, with the options that it would get, and exits with 1 where the folder dataset
    would refuse the set.

    Args:
        sheet: PNG file to draw spectrograms in, eight clips of each class.
    """
    if sheet is not None:
        files.check_outside(getattr(dataset, "data_dir", None), sheet)
    looked = _look_at_files(dataset) if isinstance(dataset, Folder) else _look_at_clips(dataset)
    measured: list[Measured] = []
    problems: list[Problem] = []
    for source, result in looked.results:
        if isinstance(result, Problem):
            problems.append(result)
        else:
            onset, offset = find_extent(result.audio, result.rate)
            sound = float(offset - onset) / result.rate
            low = faults.measure_low(result.audio[: looked.samples], result.rate)
            measured.append(replace(Measured.of(source, result, looked.samples), sound=sound, low=low))
    data = _summarise(looked, measured, problems)
    if sheet is not None and measured:
        groups = [[one.source for one in measured if one.source.label == label] for label in looked.found.labels]
        chosen = [group[number] for group in groups for number in choose_evenly(len(group))]
        clips: dict[str, list[NDArray[np.float32]]] = {}
        for source, clip in looked.read(chosen):
            clips.setdefault(source.label, []).append(clip[: looked.samples])
        picture = draw_sheet(clips, looked.rate)
        with files.replace_file(sheet) as draft:
            draft.write_bytes(picture)
        data["sheet"] = str(sheet)
    return Answer(_format(data, problems, dataset), data, 0 if data["usable"] else 1)


@dataclass(frozen=True)
class _Look:
    """What there is to check.

    Attributes:
        found: the files or clips, none of them opened.
        results: each as a sound, or as what is wrong with it.
        read: the sounds of some of them.
        rate: of the sounds, Hz.
        samples: length of a clip.
        options: of the folder, or what stands in their place.
        filtering: what is taken out of the sounds; None where no flag of the dataset says it.
    """

    found: Survey
    results: Iterator[tuple[Source, Recording | Problem]]
    read: Callable[[Sequence[Source]], Iterator[tuple[Source, NDArray[np.float32]]]]
    rate: int
    samples: int
    options: Mapping[str, Any]
    filtering: Filter | None


def _look_at_files(folder: Folder) -> _Look:
    if folder.data_dir is None:
        folder.load()  # refuses to
    assert folder.data_dir is not None
    options = {name: value for name, value in asdict(folder).items() if name != "data_dir"}
    filtering = Filter(folder.highpass, folder.lowpass, folder.remove_mean)
    found, rate = survey(folder.data_dir, folder.min_per_class), folder.sampling_rate
    look = partial(examine, rate=rate, max_length=folder.max_length, channel=folder.channel, filtering=filtering)
    inspecting = partial(inspect, wanted=rate, channel=folder.channel)

    def read(sources: Sequence[Source]) -> Iterator[tuple[Source, NDArray[np.float32]]]:
        for source, result in look(sources, label="Drawing clips"):
            if not isinstance(result, Problem):
                yield source, result.audio

    results = look(found.sources, label="Checking clips", inspect=inspecting)
    return _Look(found, results, read, rate, round(folder.max_length * rate), options, filtering)


def _look_at_clips(dataset: Dataset) -> _Look:
    clips = dataset.load()
    found = survey_clips(clips, dataset.name)
    rows = {source: row for row, source in enumerate(found.sources)}

    def read(sources: Sequence[Source]) -> Iterator[tuple[Source, NDArray[np.float32]]]:
        return ((source, np.asarray(clips.audio[rows[source]])) for source in sources)

    options = {"dataset": dataset.name, "sampling_rate": clips.rate, "max_length": clips.samples / clips.rate}
    filtering = Filter.of(clips.origin) if isinstance(dataset, Filter) else None
    return _Look(found, examine_clips(clips, found), read, clips.rate, clips.samples, options, filtering)


def _summarise(looked: _Look, measured: Sequence[Measured], problems: Sequence[Problem]) -> dict[str, Any]:
    """The report for programs; seconds, and dBFS."""
    found, recordings = looked.found, [one.file for one in measured]
    across, within = find_duplicates({str(one.source): one.file.digest for one in measured})
    data: dict[str, Any] = {
        "path": str(found.folder),
        **looked.options,
        "files": len(found.sources),
        "clips": len(measured),
        "classes": [_spread(label, [one for one in measured if one.source.label == label]) for label in found.labels],
        "all": _spread("", measured),
        "rates": _count(file.native_rate for file in recordings),
        "channels": _count(file.channels for file in recordings),
        "encodings": _count(f"{file.format} {file.subtype}" for file in recordings),
        "padded": sum(one.fit < 0 for one in measured),
        "cut": sum(one.fit > 0 for one in measured),
        "clipped": [str(one.source) for one in measured if one.file.clipped],
        "faint": [str(one.source) for one in measured if one.file.peak < FAINT],
        "upsampled": sum(file.native_rate < looked.rate for file in recordings),
        "faults": faults.summarise(measured),
        "duplicates": {"across_classes": across, "within_a_class": within},
        "problems": [asdict(problem) for problem in problems],
        "empty_classes": list(found.empty),
        "ignored": dict(found.ignored),
        "notes": found.notes,
    }
    data["warnings"] = _warn(data)
    data["warnings"] += faults.describe(data["faults"], len(measured), looked.rate, looked.filtering)
    leaves_out = bool(looked.options.get("skip_unusable") and measured)
    data["usable"] = leaves_out or (not problems and not found.empty)
    return data


def _spread(label: str, measured: Sequence[Measured]) -> dict[str, Any]:
    """Smallest, median and largest length and level of some clips."""
    columns = {
        "seconds": [one.file.seconds for one in measured],
        "sound_seconds": [one.sound for one in measured],
        "peak_dbfs": [20 * math.log10(one.file.peak) for one in measured],
        "rms_dbfs": [20 * math.log10(one.file.rms) for one in measured],
    }
    spreads: dict[str, Any] = {"label": label, "clips": len(measured)}
    for name, values in columns.items():
        picks: dict[str, Any] = {"min": min, "median": np.median, "max": max}
        spreads[name] = {key: round(float(pick(values)), 4) for key, pick in picks.items()} if values else None
    return spreads


def _count(values: Iterable[object]) -> dict[str, int]:
    return {str(value): count for value, count in Counter(values).most_common()}


def _warn(data: dict[str, Any]) -> list[str]:
    """What a user should know of a set that can be used all the same."""
    warnings = []
    sizes = {one["label"]: one["clips"] for one in data["classes"] if one["clips"]}
    if sizes and min(sizes.values()) * IMBALANCE < max(sizes.values()):
        few, many = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
        remedy = "train-gan --balance shows every class equally often"
        warnings.append(f"unbalanced: {format_count(sizes[few], 'clip')} of {few}, {sizes[many]} of {many}: {remedy}")
    warnings += filter(None, [describe_few(sizes, has_flag="min_per_class" in data)])
    warnings += describe_duplicates(*data["duplicates"].values())
    nyquist = min(map(int, data["rates"]), default=0) / 2000
    counts = (
        (len(data["clipped"]), f"touch full scale, perhaps clipped: {shorten(data['clipped'], ', ', 3)}"),
        (len(data["faint"]), f"hardly above silence (peak below -80 dBFS): {shorten(data['faint'], ', ', 3)}"),
        (data["cut"], f"longer than {data['max_length']:g} s: cut at the end, unless --max-length is raised"),
        (data["upsampled"], f"of a lower rate than {data['sampling_rate']} Hz: nothing above {nyquist:g} kHz"),
    )
    return warnings + [f"{count} {sentence}" for count, sentence in counts if count]


def _format(data: dict[str, Any], problems: Sequence[Problem], dataset: Dataset) -> str:
    """The report for people: a row a class, what the set is, what to mind, and a verdict."""
    classes = data["classes"]
    width = max(5, *(len(one["label"]) for one in classes))
    row = f"{{:{width}}}  {{:>5}}  {{:>14}}  {{:>12}}  {{:>12}}"
    heading = row.format("class", "clips", "sound, ms", "peak, dBFS", "rms, dBFS")
    noun = "clip" if "dataset" in data else "file"
    counts = f"{format_count(data['files'], noun)} in {format_count(len(classes), 'class', 'classes')}"
    lines = [f"{data['path']}: {counts}", "", f"{heading}  (min/median/max)"]
    for one in [*classes, data["all"]] if len(classes) > 1 else classes:
        columns = (_slash(one["sound_seconds"], 1000), _slash(one["peak_dbfs"]), _slash(one["rms_dbfs"]))
        lines.append(row.format(one["label"] or "all", one["clips"], *columns).rstrip())
    if data["clips"]:
        kinds = (_tally(data["encodings"]), _tally(data["channels"], " ch"), _tally(data["rates"], " Hz"))
        lengths = " / ".join(f"{value:.3g}" for value in data["all"]["seconds"].values())
        fits = f"in clips of {data['max_length']:g} s {data['padded']} padded with zeros, {data['cut']} cut"
        lines += ["", f"Files     {'; '.join(kinds)}", f"Lengths   {lengths} s; {fits}"]
    for heading, sentences in (("Ignored", data["notes"]), ("Warnings", data["warnings"])):
        lines += ["", heading, *(f"  {line}" for line in "\n".join(sentences).split("\n"))] if sentences else []
    if problems:
        lines += ["", f"Unusable  {_tally(_count(problem.kind for problem in problems))}", *list_items(problems)]
    if data["empty_classes"]:
        lines += ["", f"Empty classes  {', '.join(data['empty_classes'])}"]
    if "sheet" in data:
        lines += ["", f"Spectrograms of {CLIPS} clips a class: {data['sheet']}"]
    return "\n".join([*lines, "", _judge(data, dataset)])


def _slash(spread: dict[str, float] | None, times: float = 1) -> str:
    return "-" if spread is None else "/".join(str(round(value * times)) for value in spread.values())


def _tally(counts: dict[str, int], suffix: str = "") -> str:
    """`16000 Hz` where all are alike, else each with its count."""
    if len(counts) == 1:
        return f"{next(iter(counts))}{suffix}"
    return ", ".join(f"{count} x {value}{suffix}" for value, count in counts.items())


def _judge(data: dict[str, Any], dataset: Dataset) -> str:
    chosen = spell(dataset, "" if isinstance(dataset, Folder) else "--dataset")
    train = f"canarygan train-gan {chosen} --preset small"
    if (recordings := _describe_recordings(data)) is not None:
        return recordings
    if data["usable"]:
        minding = f" with {format_count(len(data['warnings']), 'warning')}" if data["warnings"] else ""
        return f"Usable{minding}. Next: {train}"
    counts = (
        (len(data["problems"]), "file", "files"),
        (len(data["empty_classes"]), "class without files", "classes without files"),
    )
    bad = " and ".join(format_count(*count) for count in counts if count[0])
    if "dataset" in data:
        return f"Not usable: {format_count(len(data['problems']), 'clip')} of {data['files']}. Mend the dataset."
    if not data["clips"]:
        return f"Not usable: {bad}, and nothing is left. Begin from the sources again."
    return f"Not usable as it is: {bad}. Mend or remove them, or leave them out: {train} --skip-unusable"


def _describe_recordings(data: dict[str, Any]) -> str | None:
    """What to do with a folder most of whose files last and sound longer than a clip; None where it is none such."""
    beyond = sum(problem["kind"] == "too-long" for problem in data["problems"])
    sounding = (data["all"]["sound_seconds"] or {}).get("median", math.inf)
    if 2 * (data["cut"] + beyond) <= data["files"] or sounding < data["max_length"]:
        return None
    longest = data["all"]["seconds"]
    lengths = f", of up to {longest['max']:.3g} s," if longest and not beyond else ""
    return (
        f"Not clips, it seems, but recordings: {data['cut'] + beyond} of {data['files']} files{lengths} "
        f"sound for longer than {data['max_length']:g} s, and only their beginnings would be learnt.\n"
        "If each holds several syllables, cut these out, one file a syllable, into one folder a class. If each is one "
        "sound, raise --max-length."
    )
