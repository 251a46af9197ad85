"""A CanaryGAN task."""

from pathlib import Path
from typing import Annotated

from canarygan_core import Answer, CanaryganError, Dataset, Request, Slot, Task, hookimpl
from canarygan_core.console import track
from canarygan_core.runs import Manifest, files, tables
from cyclopts import Parameter


def placeholder_task(
    *,
    dataset: Annotated[Dataset, Slot("synthetic", implied={"--data-dir": "folder", "-d": "folder"})],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("placeholder"),
    floor: Annotated[float, Parameter(alias="-f")] = -80.0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Write the level of each clip to a table. Replace this with your own work.

    Args:
        save_dir: Folder for the table and its manifest.
        floor: Lowest level told, dB of full scale.
        overwrite: Replace a table that is there.
    """
    import numpy as np

    if not floor < 0:
        raise CanaryganError(f"--floor must be below 0 dB, not {floor:g}.")
    table = save_dir / "levels.csv"
    absent = files.check_absent(table, overwrite=overwrite)
    clips = dataset.load()
    record = save_dir / "manifest.json"
    with Manifest.begin(record, request, absent=absent, dataset=dict(clips.origin)) as manifest:
        rows, levels = [], []
        for row, clip in enumerate(track(clips.audio, "measuring", len(clips))):
            power = float(np.mean(np.square(clip, dtype=np.float64)))
            levels.append(max(floor, 10 * float(np.log10(max(power, 1e-30)))))
            label = "" if clips.labels is None else str(clips.labels[row])
            rows.append({"clip": row, "label": label, "level": f"{levels[-1]:.2f}"})
        files.write_text(table, tables.format_table(rows))
        manifest.add_output(table)
    mean = sum(levels) / len(levels)
    answer = f"{len(levels)} clips, {mean:.1f} dB on average: {table}"
    return Answer(answer, {"path": str(table), "clips": len(levels), "mean": mean})


@hookimpl
def register_tasks() -> list[Task]:
    return [Task("placeholder", "canarygan_placeholder:placeholder_task", "Write the level of each clip to a table.")]
