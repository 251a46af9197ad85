"""What tasks take: recordings by their paths, and annotations for them."""

from collections.abc import Sequence
from pathlib import Path

from canarygan_core.console import log
from canarygan_core.errors import CanaryganError
from canarygan_recordings.annotations.pairing import SUFFIXES, find_recordings, index_recordings, list_files
from canarygan_recordings.annotations.reading import find_format, read
from canarygan_recordings.annotations.segments import Annotation


def list_recordings(paths: Sequence[Path]) -> list[Path]:
    """The recordings among files and folders, these searched to the bottom.

    Raises:
        CanaryganError: where there is none.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += list_files(path)[0]
        elif path.is_file():
            found.append(path)
        else:
            raise CanaryganError(f"There is no file and no folder at {path}.")
    if not found:
        raise CanaryganError(f"{', '.join(map(str, paths))} holds no recording: no {', '.join(SUFFIXES[:6])}, ...")
    return list(dict.fromkeys(found))


def assign_truth(truth: Path, recordings: Sequence[Path], format: str = "", tier: str = "") -> dict[Path, Annotation]:
    """The annotation of each recording that has one, from a file or a folder.

    A file of one annotation that names no recording is of the one recording, whatever its name.

    Raises:
        CanaryganError: where there is none for any recording, or two for one.
    """
    if truth.is_dir():
        paths = [path for path in list_files(truth)[1] if find_format(path)]
    elif truth.is_file():
        paths = [truth]
    else:
        raise CanaryganError(f"There is no annotation at {truth}.")
    found = [one for path in paths for one in read(path, format, tier)]
    if len(found) == len(recordings) == 1 and not found[0].recording:
        return {recordings[0]: found[0]}
    index = index_recordings(recordings)
    assigned: dict[Path, Annotation] = {}
    for one in found:
        matches = find_recordings(one, index)
        for match in matches[:1]:
            if match in assigned:
                both = f"{assigned[match].path.name} and {one.path.name}"
                raise CanaryganError(f"{match.name} has two annotations in {truth}, {both}: give one of them.")
            assigned[match] = one
    if not assigned:
        raise CanaryganError(f"{truth} holds no annotation of {recordings[0].name} or any other of the recordings.")
    if missing := [path.name for path in recordings if path not in assigned]:
        log.warning(
            f"{truth} has no annotation of {', '.join(missing[:3])}{' and others' if len(missing) > 3 else ''}."
        )
    return assigned
