"""A CanaryGAN task: it writes the loudest clips of each class as WAV files, to listen to."""

from pathlib import Path
from typing import Annotated

from canarygan_core import Answer, CanaryganError, Dataset, Request, Slot, Task, hookimpl
from canarygan_core.console import track
from canarygan_core.runs import Manifest, files
from cyclopts import Parameter


def loudest(
    *,
    dataset: Annotated[Dataset, Slot("synthetic", implied={"--data-dir": "folder", "-d": "folder"})],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("loudest"),
    count: Annotated[int, Parameter(alias="-n")] = 3,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Write the loudest clips of each class as WAV files.

    Args:
        save_dir: Folder for the sounds and their manifest.
        count: Clips of each class.
        overwrite: Replace sounds that are there.
    """
    import numpy as np
    from canarygan_core import audio

    if count < 1:
        raise CanaryganError(f"--count must be at least 1, not {count}.")
    target = save_dir / "sounds"
    files.check_absent(target, overwrite=overwrite)
    clips = dataset.load()
    labels = np.full(len(clips), "all") if clips.labels is None else clips.labels
    with Manifest.begin(save_dir / "manifest.json", request, dataset=dict(clips.origin)) as manifest:
        power = np.concatenate([np.square(part.audio, dtype=np.float64).mean(1) for part in clips.batches(256)])
        order = np.argsort(-power, kind="stable")  # the loudest first
        chosen = [(label, row) for label in np.unique(labels) for row in order[labels[order] == label][:count]]
        with files.replace_folder(target) as draft:
            for label, row in track(chosen, "writing", len(chosen)):
                audio.write(draft / f"{label}-{row:04d}.wav", clips.audio[row], clips.rate)
        for path in sorted(target.iterdir()):
            manifest.add_output(path)
    names = [path.name for path in sorted(target.iterdir())]
    return Answer(f"{len(names)} sounds: {target}", {"path": str(target), "sounds": names})


@hookimpl
def register_tasks() -> list[Task]:
    return [Task("loudest", "canarygan_loudest:loudest", "Write the loudest clips of each class as WAV files.")]
