"""`decode`: tell which syllable each sound is."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from canarygan_core.audio import Problem, UnusableAudio
from canarygan_core.audio.options import check_channel
from canarygan_core.audio.problems import list_items
from canarygan_core.audio.songs import collect_songs
from canarygan_core.audio.soundfiles import LONGEST
from canarygan_core.audio.sounds import Sound, is_archive, list_recordings, read_clips
from canarygan_core.clips import count_labels
from canarygan_core.components import Annotator, Answer, Segment
from canarygan_core.console import log
from canarygan_core.errors import UsageError, did_you_mean
from canarygan_core.fitted import decoders
from canarygan_core.fitted.decoders import Judgement, TrainedDecoder
from canarygan_core.plugins import get_registry
from canarygan_core.plugins.index import advise_kind
from canarygan_core.runs import Manifest, Request, files, tables

FORMATS = ("csv", "audacity")
"""What `decode` writes itself."""

ADVICE = f"Other annotations need a plugin: {advise_kind(Annotator.kind)}."
"""What to do where no annotator is installed."""


def decode(
    *paths: Path,
    decoder_ckpt: Annotated[list[Path], Parameter(alias="-y")],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("decoded"),
    transform_params: Annotated[Path | None, Parameter(alias="-p")] = None,
    onsets: Path | None = None,
    channel: int | None = None,
    segment: bool = True,
    truth: Path | None = None,
    format: list[str] | None = None,
    reject: bool = True,
    skip_unusable: bool = False,
    device: str = "auto",
    device_idx: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Tell which syllable each sound is: of sound files, folders of them, generation archives and long recordings.

    Args:
        paths: Sound files, folders that are searched for some, and .npz archives that generate made.
        decoder_ckpt: Folder of a trained decoder, or of several; may be given again.
        save_dir: Folder for the table, the labels and their manifest.
        transform_params: Feature parameters that must be the decoder's; not needed, it knows its own.
        onsets: CSV table with onset and offset in seconds, and file where there are several recordings, by which long
            recordings are cut; or an annotation in any format that an installed plugin reads.
        channel: Channel of each file to take, counted from 1. [default: the mean of all]
        segment: Without --onsets, find the syllables of a file that is longer than a clip first; needs a plugin that
            can.
        truth: Annotation of these recordings to compare the labels with, which such a plugin reads.
        format: csv for one table, audacity for a label file a recording, or a format that an installed plugin writes;
            may be given again. [default: csv]
        reject: Label a sound X where it is nearer to garbage, or farther from the training clips, than nearly all real
            clips, or where the decoder is less sure of its class.
        skip_unusable: Leave out files that cannot be used, naming them, instead of stopping.
        device: auto, cpu, cuda or mps, for decoders that can use one.
        device_idx: Which GPU.
        overwrite: Replace what is in the way.
    """
    if not paths:
        raise UsageError("Give sound files, folders of them, or .npz archives to decode.")
    if truth is not None and get_registry().find_annotator() is None:
        raise UsageError(f"--truth: {ADVICE}")
    trained = decoders.load_all(decoder_ckpt, get_registry(), transform_params, device, device_idx)
    if not trained:
        raise UsageError("Give the folder of a trained decoder by -y.")
    check_channel(channel)
    annotator = get_registry().find_annotator()
    seconds = max(one.seconds for one in trained)
    hearings = list(dict.fromkeys(one.hearing for one in trained))
    context = decoders.find_context(trained)
    finder = annotator if segment or onsets is not None else None
    sounds = collect_songs(paths, onsets, finder, seconds=seconds, context=context, channel=channel)
    own, others = _sort_formats(format or ["csv"], annotator)
    targets = _name_outputs(save_dir, sounds, own)
    added: list[Path] = []
    if annotator is not None:
        recordings = list_recordings(sounds)
        added = [path for name in others for path in annotator.name_files(save_dir, recordings, name)]
    absent = files.check_absent(*added, *targets.values(), overwrite=overwrite)
    with Manifest.begin(save_dir / "decoded.manifest.json", request, absent=absent) as manifest:
        for one in trained:
            manifest.add_input(f"decoder {one.key}", one.folder / decoders.RECORD)
        for file in dict.fromkeys(sound.file for sound in sounds if is_archive(sound.file)):
            manifest.add_input(file, Path(file))
        if onsets is not None and onsets.is_file():
            manifest.add_input("onsets", onsets)
        table: list[dict[str, Any]] = []
        problems: list[Problem] = []
        reading = [read_clips(sounds, one, channel=channel, longest=LONGEST * seconds) for one in hearings]
        for parts in zip(*reading, strict=True):
            batch, _, refused = parts[0]
            problems += refused
            heard = {hearing: clips for hearing, (_, clips, _) in zip(hearings, parts, strict=True)}
            judgements = [one.judge(heard[one.hearing]) for one in trained] if batch else []
            table += _make_rows(batch, judgements, trained, reject=reject) if batch else []
        _refuse(problems, skip_unusable, len(sounds))
        for problem in problems:
            manifest.warn(str(problem))
        for (kind, name), target in targets.items():
            rows = [row for row in table if row["file"] == name]
            files.write_text(target, tables.format_table(table) if kind == "csv" else _format_audacity(rows))
            manifest.add_output(target)
        answer = _make_answer(table, trained, list(targets.values()))
        if annotator is not None and (others or truth is not None):
            segments = _list_segments(table)
            for name in others:
                annotator.write(save_dir, segments, name)
            outputs = list(added)
            if truth is not None:
                compared, figures = annotator.compare(truth, segments, save_dir, trained[0].record.get("dataset", {}))
                answer = Answer(f"{answer.text}\n{compared.text}", {**answer.data, "truth": compared.data})
                outputs += figures
            for path in outputs:
                manifest.add_output(path)
            answer.data["outputs"] += [str(path) for path in outputs]
    return answer


def _sort_formats(formats: Sequence[str], annotator: Annotator | None) -> tuple[list[str], list[str]]:
    """The formats that are written here, and those that the annotator writes.

    Raises:
        UsageError: on a format that nobody writes.
    """
    others = () if annotator is None else annotator.formats
    for name in formats:
        if name not in (*FORMATS, *others):
            known = ", ".join((*FORMATS, *others))
            advice = did_you_mean(name, (*FORMATS, *others)) or ("" if others else f" {ADVICE}")
            raise UsageError(f"--format {name}: there are {known}.{advice}")
    return [name for name in formats if name in FORMATS], [name for name in formats if name not in FORMATS]


def _list_segments(table: Sequence[dict[str, Any]]) -> dict[Path, list[Segment]]:
    """By recording, where each sound is and what it is called."""
    segments: dict[Path, list[Segment]] = {}
    for row in table:
        segments.setdefault(Path(row["file"]), []).append((row["onset"], row["offset"], row["label"]))
    return segments


def _name_outputs(save_dir: Path, sounds: Sequence[Sound], formats: Sequence[str]) -> dict[tuple[str, str], Path]:
    """Where each output goes, by its format and, for label files, the recording."""
    outputs: dict[tuple[str, str], Path] = {}
    if "csv" in formats:
        outputs["csv", ""] = save_dir / "decoded.csv"
    if "audacity" in formats:
        names = list(dict.fromkeys(sound.file for sound in sounds))
        stems = Counter(Path(name).stem for name in names)
        for name in names:
            stem = Path(name).stem if stems[Path(name).stem] == 1 else "-".join(Path(name).with_suffix("").parts[-2:])
            outputs["audacity", name] = save_dir / f"{stem}.labels.txt"
        if len(set(outputs.values())) < len(outputs):
            raise UsageError("Two recordings have one name: decode them with --format audacity one at a time.")
    return outputs


def _make_rows(
    found: Sequence[Sound], judgements: Sequence[Judgement], trained: Sequence[TrainedDecoder], *, reject: bool
) -> list[dict[str, Any]]:
    """A row a clip: where it is, what most decoders say, and what each says."""
    together = decoders.reach_consensus(judgements, reject=reject)
    columns = {
        "file": [sound.file for sound in found],
        "row": [sound.row for sound in found],
        "onset": [round(sound.onset, 6) for sound in found],
        "offset": [round(sound.offset, 6) for sound in found],
        "label": together.labels.tolist(),
        "agreement": _round(together.agreement, 3),
        "posterior": _round(together.posterior, 4),
        "syllable": _round(together.syllable, 4),
    }
    for one, judgement in zip(trained, judgements, strict=True):
        columns[one.key] = judgement.labels.tolist()
        columns[f"{one.key}_posterior"] = _round(judgement.certainty, 4)
        columns[f"{one.key}_margin"] = _round(decoders.compute_margins(judgement.posteriors), 4)
        columns[f"{one.key}_syllable"] = _round(judgement.syllable, 4)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _round(values: NDArray[np.floating[Any]], digits: int) -> list[float]:
    return [round(value, digits) for value in values.tolist()]


def _refuse(problems: Sequence[Problem], skip: bool, total: int) -> None:
    """Raise for sounds that cannot be used, where they are not to be left out or nothing else is there."""
    if problems and not (skip and len(problems) < total):
        heading = f"{len(problems)} of {total} sounds cannot be used:" if total > 1 else ""
        raise UnusableAudio(problems, heading, "Mend or remove them, or leave them out with --skip-unusable.")
    if problems:
        log.warning("%s", UnusableAudio(problems, f"{len(problems)} of {total} sounds left out as unusable:"))


def _format_audacity(rows: Sequence[dict[str, Any]]) -> str:
    """A label track as Audacity imports it: start, end and text, tab-separated, seconds."""
    plain = str.maketrans("\t\n\r", "   ")
    return "".join(f"{row['onset']:.6f}\t{row['offset']:.6f}\t{row['label'].translate(plain)}\n" for row in rows)


def _make_answer(table: Sequence[dict[str, Any]], trained: Sequence[TrainedDecoder], targets: Sequence[Path]) -> Answer:
    counts = count_labels(row["label"] for row in table)
    lines = [f"{len(table)} sounds: " + ", ".join(f"{label} {count}" for label, count in counts.items())]
    sure = [row for row in table if row["label"] != decoders.X]
    unanimous = sum(row["agreement"] == 1 for row in sure)
    lines.append(decoders.describe_consensus([one.key for one in trained], len(table), len(sure), unanimous))
    lines += list_items([f"Written: {target}" for target in targets], 5, indent="")
    data: dict[str, Any] = {"outputs": [str(target) for target in targets], "counts": counts, "rows": table}
    data |= {"sure": len(sure), "unanimous": unanimous}
    return Answer("\n".join(lines), data)
