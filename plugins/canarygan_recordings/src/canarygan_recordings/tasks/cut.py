"""`cut`: write the syllables of recordings as a folder of clips, with a table of where each comes from."""

import re
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from canarygan_core import audio
from canarygan_core.clips import count_labels
from canarygan_core.components import Answer, Dataset, Slot
from canarygan_core.console import log
from canarygan_core.errors import CanaryganError, UsageError
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
    if target.exists() and any(entry for entry in target.iterdir() if entry.name not in LEFT):
        raise CanaryganError(f"{save_dir} is not empty: name a folder that is not there yet.")
    folders = names.name_folders(segments.labels.tolist())
    table = _make_table(segments, folders)
    counts = count_labels(segments.labels)
    with Manifest.begin(save_dir / LEFT[0], request) as manifest:
        sheet = save_dir / LEFT[1]
        _draw_sheet(sheet, segments, dataset, counts)
        manifest.add_output(sheet)
        if not dry_run:
            left_out = _write_clips(save_dir, segments, dataset, table)
            table = [row for number, row in enumerate(table) if number not in left_out]
            files.write_text(save_dir / TABLE, tables.format_table(table))
            manifest.add_output(save_dir / TABLE)
            counts = count_labels(row["label"] for row in table)
            for row in left_out:
                manifest.warn(f"{loading.name_sources(segments)[row]}: silent, left out")
    return _make_answer(segments, dataset, counts, folders, save_dir, dry_run=dry_run)


LEFT = ("cut.manifest.json", "contact-sheet.png")
"""What a dry run leaves: the manifest, and the contact sheet."""

TABLE = "clips.csv"
"""The table of where each clip comes from."""


def _make_table(segments: Any, folders: dict[str, str]) -> list[dict[str, Any]]:
    """A row a clip, in the order of recordings and onsets."""
    rows = []
    columns = (segments.which.tolist(), segments.onsets.tolist(), segments.offsets.tolist(), segments.labels.tolist())
    for number, (which, onset, offset, label) in enumerate(zip(*columns, strict=True)):
        recording = PurePosixPath(segments.names[which])
        stem = re.sub(r'[\\/:*?"<>|\x00-\x1f]+', "_", str(recording.with_suffix(""))).lstrip(".") or "recording"
        rows.append(
            {
                "file": f"{folders[label]}/{stem}_{number:05d}.wav",
                "label": label,
                "recording": str(recording),
                "onset": round(onset, 6),
                "offset": round(offset, 6),
            }
        )
    return rows


def _write_clips(save_dir: Path, segments: Any, dataset: Recordings, table: list[dict[str, Any]]) -> set[int]:
    """Write a WAV file for each row of the table; gives the rows that are silent, of which none is written."""
    from canarygan_recordings import loading

    loudest = 0.0
    if dataset.gain == "set":
        loudest = max(float(np.abs(clip).max(initial=0)) for _, clip, _ in loading.read_clips(segments, dataset))
    silent: set[int] = set()
    for number, clip, start in loading.read_clips(segments, dataset):
        peak = float(np.abs(clip).max(initial=0))
        table[number]["start"] = round(start, 6)
        if not audio.SILENT <= peak < np.inf:
            silent.add(number)
            continue
        factor = {"none": 1.0, "clip": loading.PEAK / peak, "set": loading.PEAK / (loudest or 1)}[dataset.gain]
        audio.write(save_dir / table[number]["file"], clip * np.float32(factor), dataset.sampling_rate)
    if silent and not dataset.skip_unusable:
        first = loading.name_sources(segments)[min(silent)]
        log.warning(f"{len(silent)} silent segments are not written, such as {first}.")
    return silent


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
    lines.append("Nothing was cut." if dry_run else f"Written: {save_dir}. Next: canarygan check-data -d {save_dir}")
    data = {"path": str(save_dir), "clips": total, "classes": classes, "dry_run": dry_run}
    return Answer("\n".join(lines), data)
