"""The sounds whose latents are wanted, and the clips a model learnt from, heard as these were."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import Dataset, runs
from canarygan_core.audio import Filter, Hearing, archives
from canarygan_core.audio.sounds import Sound, collect_sounds, is_archive, read_clips
from canarygan_core.clips import Clips, concatenate
from canarygan_core.console import log
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.evaluation import holding
from canarygan_core.plugins import get_registry
from canarygan_latents.opening import Opened

UNKNOWN = ""
"""The label of a sound of which none is known."""


LABELLED: archives.Layout = {
    **archives.SOUNDS,
    **{"labels?": "iuU clips", "label?": "iuU clips", "y_*": "iuU clips"},
}
"""An archive whose sounds may have labels: one each."""


@dataclass(frozen=True, eq=False)
class Learning:
    """What is known of how a model learnt.

    Attributes:
        hearing: rate and length of its sounds, and what was taken out of the clips.
        is_level_free: whether the level of each clip or set was changed, so that a sound's own level means nothing.
        clips: all clips, heard so, or None where nothing tells which they were.
        unseen: which of the clips (n,) it was not trained on.
    """

    hearing: Hearing
    is_level_free: bool
    clips: Clips | None
    unseen: NDArray[np.bool_]


def find_learning(opened: Opened, dataset: Dataset | None) -> Learning:
    """How the model of a checkpoint learnt, by the manifest of its run, and from which clips.

    Args:
        opened: the checkpoint.
        dataset: brings the clips instead of the run's own.

    Raises:
        CanaryganError: where a dataset that is given cannot be loaded.
    """
    run = runs.find_by_checkpoint(opened.checkpoint)
    record = {} if run is None else run.manifest.record
    clips = _load_clips(record, opened.checkpoint, dataset)
    origin = record.get("dataset", {} if clips is None else clips.origin)
    hearing = Hearing(opened.generator.rate, opened.generator.samples, Filter.of(origin))
    options = record.get("options", {}).get("dataset", {}).get("options", {})
    held_out = holding.find_unseen(clips, record.get("held_out", {}).get("sources")) if clips is not None else None
    unseen = np.zeros(0 if clips is None else len(clips), bool) if held_out is None else held_out
    return Learning(hearing, options.get("gain") != "none", None if clips is None else hearing.hear(clips), unseen)


def _load_clips(record: dict[str, Any], checkpoint: Path, dataset: Dataset | None) -> Clips | None:
    if dataset is not None:
        return dataset.load()
    if "dataset" not in record.get("options", {}):
        return None
    try:
        own: Dataset = get_registry().restore("dataset", checkpoint, record)
        return own.load()
    except CanaryganError as error:
        reason = str(error).partition("\n")[0]
        log.warning(f"The clips that the model learnt from cannot be had: {reason} Give them with -d.")
        return None


def collect(paths: Sequence[Path], learning: Learning, listed: Sequence[Sound] | None = None) -> Clips:
    """Sounds with sources and labels, in files, folders and archives; without paths, the clips that were held out.

    The label of a file is the folder that it lies in, where that lies in a folder that was given or is a class of the
    clips that the model learnt from; of a sound of an archive, what the archive says. A label that is not known is
    empty, and where none is known there are none.

    Args:
        paths: files, folders and archives.
        learning: how the model heard the clips that it learnt from.
        listed: the sounds in them where they are known, as `collect_sounds` lists them.

    Raises:
        UsageError: where no path is given and no clip was held out.
        CanaryganError: where there is no sound, or one that cannot be used.
    """
    if not paths:
        if learning.clips is None or not learning.unseen.any():
            raise UsageError("Give sounds to invert: files, folders, archives. This model's run held out no clips.")
        return learning.clips.select(learning.unseen)
    sounds = collect_sounds(paths) if listed is None else listed
    parts = [part for _, part, _ in read_clips(sounds, learning.hearing, "reading sounds", strict=True)]
    clips = concatenate(parts)
    known = {file: _read_labels(Path(file)) for file in {sound.file for sound in sounds} if is_archive(file)}
    folders = [path for path in paths if path.is_dir()]
    classes = [] if learning.clips is None else learning.clips.classes

    def find_label(sound: Sound) -> str:
        if sound.file in known:
            return known[sound.file][sound.row]
        home = Path(sound.file).absolute().parent
        is_class = any(folder.absolute() in home.parents for folder in folders) or home.name in classes
        return home.name if is_class else UNKNOWN

    labels = list(map(find_label, sounds))
    sources = [f"{sound.file}#{sound.row}" if sound.file in known else sound.file for sound in sounds]
    return Clips(clips.audio, clips.rate, np.array(labels) if any(labels) else None, sources=np.array(sources, np.str_))


def _read_labels(path: Path) -> list[str]:
    """The labels of an archive: those that it was given, what most decoders say, or else what its first one says."""
    content = archives.read(path, LABELLED)
    names = [*(name for name in ("labels", "label") if name in content), *sorted(n for n in content if n[:2] == "y_")]
    return content[names[0]].astype(str).tolist() if names else [UNKNOWN] * len(content["x"])


def list_archives(clips: Clips) -> list[Path]:
    """The archives that sounds are from, each once."""
    sources = [] if clips.sources is None else clips.sources.tolist()
    files = dict.fromkeys(str(source).rpartition("#")[0] for source in sources)
    return [Path(file) for file in files if file and is_archive(file)]
