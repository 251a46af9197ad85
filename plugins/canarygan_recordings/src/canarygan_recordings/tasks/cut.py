"""`cut`: write the syllables of recordings as a folder of clips, with a table of where each comes from."""

import re
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from canarygan_core import audio
from canarygan_core.clips import count_labels
from canarygan_core.components import Answer, Dataset, Slot
from canarygan_core.console import log
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins.options import spell
from canarygan_core.runs import Manifest, Request, files, tables
from canarygan_recordings.dataset import Recordings

SHOWN = 8
"""Clips of each class on the contact sheet."""


def cut(
    *,
    dataset: Annotated[Dataset, Slot("recordings")],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("cut"),
    dry_run: bool = False,
    request: Request,
) -> Answer:
    """Cut recordings into a folder of clips by their annotations, SAVE_DIR/label/*.wav.

    Args:
        save_dir: Folder to make, for the clips, the table clips.csv, and contact-sheet.png.
        dry_run: Count the classes and draw the contact sheet, and write no clips.
    """
    if not isinstance(dataset, Recordings):
        raise UsageError(f"cut takes recordings with annotations, and -d chooses the dataset {dataset.name}.")
    from canarygan_recordings import loading, names
    from canarygan_recordings.survey import survey

    segments = survey(dataset)
    files.check_outside(dataset.data_dir, save_dir)
    for level, note in segments.notes:
        log.log(level, "%s: %s", dataset.data_dir, note)
    target = save_dir.expanduser().resolve()
    _check_target(target, save_dir)
    counts = count_labels(segments.labels)
    folders = names.name_folders(counts)
    with files.replace_folder(target) as draft:
        with Manifest.begin(draft / LEFT[0], request) as manifest:
            sheet = draft / LEFT[1]
            _draw_sheet(sheet, segments, dataset, counts)
            manifest.add_output(sheet)
            if not dry_run:
                silent = _write_clips(draft, segments, dataset, folders)
                manifest.add_output(draft / TABLE)
                counts = count_labels(np.delete(segments.labels, silent))
                for source in loading.name_sources(segments.select(silent)):
                    manifest.warn(f"{source}: silent, left out")
        _check_target(target, save_dir)
    return _make_answer(segments, dataset, counts, folders, save_dir, dry_run=dry_run)


LEFT = ("cut.manifest.json", "contact-sheet.png")
"""What a dry run leaves: the manifest, and the contact sheet."""

TABLE, COLUMNS = "clips.csv", ("file", "label", "recording", "onset", "offset", "start")
"""The table of where each clip comes from, and what it tells of one."""


def _check_target(target: Path, save_dir: Path) -> None:
    """Raise `CanaryganError` where more lies in a folder than a dry run leaves, or it cannot be replaced."""
    reason = ""
    if target.is_dir():
        is_taken = any(entry.name not in LEFT for entry in target.iterdir())
        reason = "the folder you are in" if target == Path.cwd() else "not empty" if is_taken else ""
    elif target.exists():
        reason = "a file"
    if reason:
        raise CanaryganError(f"{save_dir} is {reason}: name a folder that is not there yet.")


def _write_clips(save_dir: Path, segments: Any, dataset: Recordings, folders: dict[str, str]) -> NDArray[np.intp]:
    """Write each clip with its row of the table; gives the segments that are silent, of which nothing is written."""
    from canarygan_recordings import loading

    loudest = 0.0
    if dataset.gain == "set":
        loudest = max(float(np.abs(clip).max(initial=0)) for _, clip, _ in loading.read_clips(segments, dataset))
    silent: list[int] = []
    with files.replace_file(save_dir / TABLE) as draft, open(draft, "w", encoding="utf-8", newline="") as stream:
        stream.write(tables.format_row(COLUMNS))
        for number, clip, start in loading.read_clips(segments, dataset):
            peak = float(np.abs(clip).max(initial=0))
            if not audio.SILENT <= peak < np.inf:
                silent.append(number)
                continue
            factor = {"none": 1.0, "clip": loading.PEAK / peak, "set": loading.PEAK / (loudest or 1)}[dataset.gain]
            row = _describe_clip(segments, number, folders) | {"start": round(start, 6)}
            audio.write(save_dir / row["file"], clip * np.float32(factor), dataset.sampling_rate)
            stream.write(tables.format_row(row.values()))
    rows = np.array(silent, np.intp)
    if silent and not dataset.skip_unusable:
        first = loading.name_sources(segments.select(rows[:1]))[0]
        log.warning(f"{len(silent)} silent segments are not written, such as {first}.")
    return rows


def _describe_clip(segments: Any, number: int, folders: dict[str, str]) -> dict[str, Any]:
    """A row of the table, but for where the clip starts."""
    label, recording = str(segments.labels[number]), PurePosixPath(segments.names[segments.which[number]])
    stem = re.sub(r'[\\/:*?"<>|\x00-\x1f]+', "_", str(recording.with_suffix(""))).lstrip(".") or "recording"
    return {
        "file": f"{folders[label]}/{stem}_{number:05d}.wav",
        "label": label,
        "recording": str(recording),
        "onset": round(float(segments.onsets[number]), 6),
        "offset": round(float(segments.offsets[number]), 6),
    }


def _draw_sheet(path: Path, segments: Any, dataset: Recordings, counts: dict[str, int]) -> None:
    """Spectrograms of some clips of each class, drawn by the set's seed."""
    from canarygan_recordings import loading, pictures

    rows: list[int] = []
    for number, label in enumerate(counts):
        mine = np.flatnonzero(segments.labels == label)
        rows += np.random.default_rng([dataset.data_seed, number]).permutation(mine)[:SHOWN].tolist()
    chosen = segments.select(np.array(sorted(rows)))
    by_class: dict[str, list[Any]] = {label: [] for label in counts}
    for number, clip, start in loading.read_clips(chosen, dataset):
        span = (chosen.onsets[number] - start, chosen.offsets[number] - start)
        by_class[str(chosen.labels[number])].append((clip, *span))
    title = f"{len(segments)} segments of {len(counts)} classes in {Path(segments.folder).name}"
    pictures.draw_sheet(path, by_class, counts, dataset.sampling_rate, title)


def _make_answer(
    segments: Any,
    dataset: Recordings,
    counts: dict[str, int],
    folders: dict[str, str],
    save_dir: Path,
    *,
    dry_run: bool,
) -> Answer:
    """What was cut, or would be: a line a class."""
    lengths = 1000 * (segments.offsets - segments.onsets)
    width = max(5, *map(len, counts))
    lines = [f"{'class':{width}}  clips  recordings  shortest/median/longest, ms"]
    classes = []
    for label, count in counts.items():
        mine = segments.labels == label
        spread = [float(pick(lengths[mine])) for pick in (np.min, np.median, np.max)]
        recordings = len(Counter(segments.which[mine].tolist()))
        classes.append(
            {"label": label, "folder": folders[label], "clips": count, "recordings": recordings, "ms": spread}
        )
        lines.append(f"{label:{width}}  {count:5}  {recordings:10}  {'/'.join(f'{one:.0f}' for one in spread)}")
    renamed = [f"{label} in {folder}" for label, folder in folders.items() if label != folder]
    if renamed:
        lines.append(f"Labels that are no safe names of folders: {', '.join(renamed)}.")
    total = sum(counts.values())
    lines.append(f"{total} clips of {len(counts)} classes at {dataset.sampling_rate} Hz.")
    lines.append(f"Look at {save_dir / LEFT[1]}.")
    heard = {name: getattr(dataset, name) for name in ("sampling_rate", "max_length", *dataset.origin["filter"])}
    check = f"canarygan check-data {spell(Folder(data_dir=save_dir, **heard))}"
    lines.append("Nothing was cut." if dry_run else f"Written: {save_dir}. Next: {check}")
    data = {"path": str(save_dir), "clips": total, "classes": classes, "dry_run": dry_run}
    return Answer("\n".join(lines), data)
