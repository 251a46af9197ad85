"""`clean`: remove what killed processes left, and the cache."""

from pathlib import Path

from canarygan_core.audio.problems import list_items
from canarygan_core.components import Answer
from canarygan_core.datasets.location import find_folder
from canarygan_core.errors import UsageError
from canarygan_core.runs import drafts, files, listing


def clean(*paths: Path, cache: bool = False, dry_run: bool = False) -> Answer:
    """Remove the drafts that killed processes left in folders, and the cache of decoded clips.

    What a process is at stays. A folder that was only set aside for a new one is put back.

    Args:
        paths: Folders to look through to the bottom.
        cache: Empty the cache, which is filled again when clips are loaded.
        dry_run: Tell what would go, and remove nothing.
    """
    if not paths and not cache:
        raise UsageError("Give folders to clean, such as runs, or --cache.")
    for path in paths:
        if not path.is_dir():
            raise UsageError(f"{path} is no folder.")
    place = find_folder()
    left = {draft for path in [*paths, *([place] if cache else [])] for draft in listing.list_left(path)}
    entries = sorted(one for one in place.glob("*/*") if not one.name.startswith(".")) if cache else []
    sizes = {str(path): listing.measure_size(path) for path in [*sorted(left), *entries]}
    if not dry_run:
        for folder in {draft.parent for draft in left}:
            drafts.sweep(folder)
        for entry in entries:
            files.remove(entry)
    total, verb = sum(sizes.values()), "would go" if dry_run else "removed"
    lines = list_items([f"{path}: {size / 1e6:.1f} MB" for path, size in sizes.items()], indent="")
    summary = f"{len(sizes)} {verb}, {total / 1e6:.1f} MB." if sizes else "There is nothing to remove."
    return Answer("\n".join([*lines, summary]), {"removed": sizes, "bytes": total, "dry_run": dry_run})
