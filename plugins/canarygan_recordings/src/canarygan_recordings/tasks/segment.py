"""`segment`: find the syllables of recordings that nobody has annotated."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from cyclopts import Parameter

from canarygan_core.audio import Filter
from canarygan_core.components import Answer
from canarygan_core.console import track
from canarygan_core.errors import UsageError
from canarygan_core.runs import Manifest, Request, files
from canarygan_recordings.segmentation import Segmentation

if TYPE_CHECKING:
    from canarygan_recordings.annotations.segments import Annotation
    from canarygan_recordings.annotations.writing import Labelled
    from canarygan_recordings.segmentation import Level, Spans

MANIFEST = "segment.manifest.json"


def segment(
    *paths: Path,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("segments"),
    segmentation: Segmentation = Segmentation(),  # noqa: B008 frozen
    label: str = "s",
    format: list[str] | None = None,
    truth: Path | None = None,
    tolerance: float = 10.0,
    overview: bool = True,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Find the syllables in recordings, and leave an annotation that Audacity and crowsetta read.

    The level in a band is compared with that of the noise, which is measured as the recording goes on. A syllable is
    what stays above the lower threshold from end to end and rises above the upper one somewhere.

    Args:
        paths: Recordings, or folders that are searched for some.
        save_dir: Folder for the annotations, the overviews and the manifest.
        label: Label of every segment.
        format: Format of the annotations, by crowsetta's name; may be given again. [default: aud-seq]
        truth: Annotation to compare with, a file or a folder; the answer tells what was missed and what is extra.
        tolerance: How far an onset and an offset may lie from the annotated ones, milliseconds.
        overview: Draw each recording with its level, both thresholds and its segments.
        overwrite: Replace what is in the way.
    """
    from canarygan_recordings.agreement import Agreement, compare
    from canarygan_recordings.annotations import writing
    from canarygan_recordings.inputs import assign_truth, list_recordings
    from canarygan_recordings.segmentation import find_syllables

    if not paths:
        raise UsageError("Give recordings, or folders of them.")
    formats = format or ["aud-seq"]
    recordings = list_recordings(paths)
    given = {} if truth is None else assign_truth(truth, recordings)
    for path in paths:
        files.check_outside(path if path.is_dir() else None, save_dir)
    targets = [path for name in formats for path in writing.name_files(save_dir, recordings, _known(name))]
    absent = files.check_absent(*targets, overwrite=overwrite)
    labelled: list[Labelled] = []
    agreement, rows = Agreement(), []
    with Manifest.begin(save_dir / MANIFEST, request, absent=absent) as manifest:
        for recording in track(recordings, "Segmenting"):
            spans, level, header = find_syllables(recording, segmentation)
            known = given.get(recording)
            row: dict[str, Any] = {"recording": str(recording), "segments": len(spans), "seconds": header.seconds}
            if known is not None:
                known = known.in_seconds(header.rate)
                truths = list(zip(known.onsets.tolist(), known.offsets.tolist(), strict=True))
                one = compare(spans, truths, tolerance / 1000)
                agreement += one
                row["agreement"] = one.to_json()
            rows.append(row)
            labelled.append(
                writing.Labelled(recording, header.rate, header.seconds, tuple((*span, label) for span in spans))
            )
            if overview:
                picture = save_dir / f"{recording.stem}.png"
                _draw(picture, recording, header.rate, segmentation, spans, level, known)
                manifest.add_output(picture)
        for name in formats:
            for path in writing.write(save_dir, labelled, name):
                manifest.add_output(path)
        total = agreement.to_json() if given else None
        manifest.add(recordings=rows, agreement=total)
    count = sum(row["segments"] for row in rows)
    lines = [f"{count} segments in {len(rows)} recordings of {sum(row['seconds'] for row in rows):.1f} s."]
    lines += [agreement.describe(tolerance)] if given else []
    lines.append(f"Written: {save_dir}")
    return Answer("\n".join(lines), {"path": str(save_dir), "recordings": rows, "agreement": total})


def _known(name: str) -> str:
    from canarygan_recordings.formats import WRITTEN

    if name not in WRITTEN:
        raise UsageError(f"--format {name}: the formats that can be written are {', '.join(WRITTEN)}.")
    return name


def _draw(
    path: Path,
    recording: Path,
    rate: int,
    options: Segmentation,
    spans: "Spans",
    level: "Level",
    known: "Annotation | None",
) -> None:
    """The overview of a recording, of its first two minutes where it is longer."""
    from canarygan_recordings import pictures
    from canarygan_recordings.segmentation import STEP
    from canarygan_recordings.sounds import Ear, read_stretches

    seconds = min(len(level.values) * STEP, 120.0)
    (sound,) = read_stretches(recording, [(0.0, seconds)], Ear(rate, options.channel, Filter(options.low)))
    count = round(seconds / STEP)
    over = level.values[:count] - level.noise[:count]
    given = [] if known is None else list(zip(known.onsets, known.offsets, known.labels.tolist(), strict=True))
    inside = [span for span in spans if span[0] < seconds]
    pictures.draw_overview(
        path,
        sound,
        rate,
        np.asarray(over, np.float64),
        (options.edge, options.above),
        inside,
        [one for one in given if one[0] < seconds],
        title=f"{recording.name}: {len(spans)} segments",
    )
