"""Clips that a model is not trained on: which clips belong together, the record in a run, and finding them again."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core.clips import Clips
from canarygan_core.console import log
from canarygan_core.errors import CanaryganError
from canarygan_core.evaluation import accuracy

AUTO = "auto"
"""`--group-by`: the groups that the dataset knows, or else none."""

GROUP = "group"
"""Fact by which a dataset tells of each clip the recording or session that it is from."""

UNSEEN = "unseen"
"""Fact by which metrics learn which real clips the generator was not trained on."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A choice of clips that a model is not trained on.

    Attributes:
        train: rows to train on.
        test: rows that are held out.
        record: for the manifest.
    """

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    record: Mapping[str, Any]


def hold_out(clips: Clips, share: float, seed: int, group_by: str = AUTO) -> HeldOut:
    """Choose clips to hold out: the same share of each class, whole groups where clips belong together.

    Args:
        clips: all of them.
        share: to hold out, 0 to below 1.
        seed: of the choice.
        group_by: as `find_groups` takes it.

    Raises:
        CanaryganError: on a share out of range, where nothing can be held out, or as `find_groups` does.
    """
    labels = clips.labels if clips.labels is not None else np.full(len(clips), "")
    groups = find_groups(clips, group_by)
    train, test = accuracy.split(labels, share, seed, groups, flag="--hold-out")
    if not len(test):
        raise CanaryganError(f"--hold-out {share:g}: {len(clips)} clips are too few to hold one out of each class.")
    without = sorted({*map(str, labels)} - {*map(str, labels[test])})
    if without:
        log.warning(f"Held out none of {', '.join(without)}: there are too few clips or groups of it.")
    names = list_names(clips)[test].tolist()
    record = {
        "share": share,
        "group_by": group_by,
        "groups": None if groups is None else len(np.unique(groups[test])),
        "seed": seed,
        "clips": len(test),
        "fingerprint": compute_fingerprint(names),
        "sources": names,
    }
    return HeldOut(train, test, record)


def find_groups(
    clips: Clips, group_by: str = AUTO, *, alone: NDArray[np.bool_] | None = None
) -> NDArray[np.str_] | None:
    """The group of each clip (n,), or None where each stands alone; clips of a group are never separated.

    Args:
        clips: with sources, unless the dataset knows the groups.
        group_by: `auto`, the fact `group` of the dataset where it has it; `none`; the name of another fact;
            `recording`, a file's name without its last number; `folder`, the folder below that of the class; or a
            regular expression, searched in a file's path below the folder of its class: what its parentheses hold is
            the group, or else all that it finds.
        alone: which clips (n,) have no group, whatever they are called.

    Raises:
        CanaryganError: where a clip has no such group, or all have the same.
    """
    if group_by == AUTO:
        group_by = GROUP if GROUP in clips.facts else "none"
    if group_by == "none":
        return None
    if alone is not None and alone.any():
        every = np.array([f"clip {row}" for row in range(len(clips))], dtype=object)
        every[~alone] = find_groups(replace(clips, audio=clips.audio[:, :0]).select(~alone), group_by)
        return every.astype(str)
    if group_by in clips.facts:
        groups = np.asarray(clips.facts[group_by]).astype(str)
    elif clips.sources is None:
        raise CanaryganError(f"--group-by {group_by}: the dataset names no files to find a group in.")
    else:
        found = [_find_group(str(source), group_by) for source in clips.sources]
        lost = [str(source) for source, group in zip(clips.sources, found, strict=True) if not group]
        if lost:
            count = f"{len(lost)} of {len(found)} clips have no such part in their names, such as {lost[0]}"
            raise CanaryganError(f"--group-by {group_by}: {count}.")
        groups = np.array(found)
    if len(clips) and len(np.unique(groups)) == 1:
        raise CanaryganError(
            f"--group-by {group_by}: all clips are of one group, {groups[0]}, so none can be held out."
        )
    return groups


def _find_group(source: str, group_by: str) -> str:
    """The group in a source such as `label/name.wav`, empty where there is none."""
    path = PurePosixPath(source.partition("/")[2] or source)
    if group_by == "folder":
        return "" if len(path.parts) < 2 else str(path.parent)
    if group_by == "recording":
        found = re.match(r"(.*\D)?\d+\D*$", path.stem)
        name = (found[1] or "") if found else path.stem
        return str(path.with_name(name.rstrip("_-. ")).as_posix()) if name.rstrip("_-. ") else ""
    try:
        found = re.search(group_by, str(path))
    except re.error as error:
        raise CanaryganError(
            f"--group-by {group_by} is none of auto, none, recording, folder, and no regular expression: {error}."
        ) from None
    return "" if found is None else "|".join(map(str, found.groups(""))) or found[0]


def list_names(clips: Clips) -> NDArray[np.str_]:
    """The names of clips (n,): their sources, or else their numbers."""
    return clips.sources if clips.sources is not None else np.arange(len(clips)).astype(str)


def compute_fingerprint(names: Sequence[str]) -> str:
    """Digest of a set of names, SHA-256."""
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()


def find_unseen(clips: Clips, names: Sequence[str] | None) -> NDArray[np.bool_] | None:
    """Which clips (n,) are those that a run has held out, by their names; None where it held out none.

    None too, with a warning, where these clips lack some of the names, because they are other data.
    """
    if not names:
        return None
    unseen = np.isin(list_names(clips), list(names))
    if unseen.sum() != len(set(names)):
        log.warning(
            f"The model was trained without {len(names)} clips, of which {unseen.sum()} are among these real clips: "
            "these are other data than it was trained on, so it is not known which of them it has not seen."
        )
        return None
    return np.asarray(unseen)


def mark_unseen(listened: Clips, unseen: NDArray[np.bool_] | None, groups: NDArray[np.str_] | None = None) -> Clips:
    """Real clips, as a listener left them, with the facts `unseen` and `group` where they are known."""
    known = {name: rows for name, rows in ((UNSEEN, unseen), (GROUP, groups)) if rows is not None}
    return replace(listened, facts={**listened.facts, **known}) if known else listened
