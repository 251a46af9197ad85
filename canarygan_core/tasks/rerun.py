"""`rerun`: repeat what a manifest describes, beside it, and tell what differs."""

import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from canarygan_core.audio.problems import list_items
from canarygan_core.components import Answer
from canarygan_core.console import log
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.runs import Manifest, listing
from canarygan_core.runs.run import PREFIX

VALUED = ("-s", "--save-dir", "--version")
"""Flags that say where an output goes, each with a value."""

SWITCHES = ("--resume", "--overwrite", "--redo")
"""Flags that take up what is there."""

CHANGEABLE = ("--max-epochs", "--save-topk")
"""Flags that may change when a training goes on, and then hold from there."""


def rerun(*paths: Path, save_dir: Annotated[Path | None, Parameter(alias="-s")] = None) -> Answer:
    """Repeat a training or another task from its manifest, beside what it left, and tell what differs.

    The command typed then is run again in the folder where it was typed. Compared are bytes of outputs, options,
    versions of what is installed, the clips and all other inputs.

    Args:
        paths: Manifest, an output beside one, or the folder of a version; one alone.
        save_dir: Folder for what is made now. [default: the one of then with -rerun behind its name]
    """
    if len(paths) != 1:
        raise UsageError("Give one manifest to repeat, or an output beside one, or the folder of a version.")
    before = _find_manifest(paths[0])
    place = before.path.parent
    is_run = place.name.startswith(PREFIX) and before.path.name == listing.MANIFEST
    home = (place.parents[1] if is_run else place).resolve()
    target = (save_dir or home.with_name(f"{home.name}-rerun")).resolve()
    again = target / before.path.resolve().relative_to(home)
    words = [*_repeat_words(before.record), "--save-dir", str(target)]
    words += ["--version", place.name.removeprefix(PREFIX)] if is_run else []
    words += _take_up(again, is_run) if again.exists() else []
    log.info(f"canarygan {shlex.join(words)}")
    _run(words, Path(str(before.record.get("cwd", "."))))
    after = Manifest.read(again)
    differences = {
        "bytes": sorted(_compare_bytes(before, after)),
        "options": sorted(_compare(_list_options(before.record), _list_options(after.record))),
        "versions": sorted(_compare(*_list_versions(before.record, after.record))),
        "data": sorted(_compare(_list_data(before.record), _list_data(after.record))),
    }
    lines = [line for name, found in differences.items() if found for line in (f"{name}:", *list_items(found))]
    same = len(before.record["outputs"]) - len(differences["bytes"])
    lines.append(f"{same} of {len(before.record['outputs'])} outputs have the same bytes: {target}")
    data = {"path": str(target), "manifest": str(again), "same": same, "differences": differences}
    return Answer("\n".join(lines), data, exit_code=int(bool(differences["bytes"])))


def _find_manifest(path: Path) -> Manifest:
    """The one manifest that a path means; `CanaryganError` where there is none, or it is of no finished work."""
    found = listing.list_manifests(path)
    if path.is_dir() and path / listing.MANIFEST in found:
        found = [path / listing.MANIFEST]
    if len(found) != 1:
        which = f"several: {', '.join(map(str, found[:5]))}" if found else "none"
        raise CanaryganError(f"Give one manifest to repeat; in {path} there are {which}.")
    manifest = Manifest.read(found[0])
    if manifest.record.get("status") != "finished":
        raise CanaryganError(f"{found[0]} is {manifest.status}, and only finished work can be repeated.")
    return manifest


def _take_up(again: Path, is_run: bool) -> list[str]:
    """The words that take up a repetition which did not come to its end; `CanaryganError` where it did, or is at it."""
    manifest = Manifest.read(again)
    if manifest.status in ("finished", "running"):
        raise CanaryganError(f"{again} is there already, {manifest.status}: give another --save-dir.")
    if is_run:
        return ["--resume"]
    return ["--overwrite"] if "overwrite" in manifest.record["options"].get("task", {}) else []


def _repeat_words(record: Mapping[str, Any]) -> list[str]:
    """The words of the first start, with what later ones changed; without those that say where outputs go."""
    starts = [list(one["argv"]) for one in [*record.get("history", []), record]]
    words = _drop(starts[0], VALUED, SWITCHES)
    for later in starts[1:]:
        for flag, value in _pairs(later, CHANGEABLE):
            words = [*_drop(words, (flag,), ()), flag, value]
    return words


def _pairs(words: Sequence[str], flags: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The flags among words, with dashes in the middle, each with its value."""
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if (flag := name.replace("_", "-")) in flags:
            yield flag, value if equals else words[number + 1]


def _drop(words: Sequence[str], valued: Sequence[str], switches: Sequence[str]) -> list[str]:
    """Words without some flags and their values."""
    kept, skipped = [], False
    for word in words:
        name, equals, _ = word.partition("=")
        flag = name.replace("_", "-")
        if skipped:
            skipped = False
        elif flag in valued:
            skipped = not equals
        elif flag not in switches:
            kept.append(word)
    return kept


def _run(words: Sequence[str], folder: Path) -> None:
    """Run a command in a process of its own; `CanaryganError` where it cannot be or fails."""
    if not folder.is_dir():
        raise CanaryganError(f"The command was typed in {folder}, which is no more: its relative paths mean nothing.")
    command = [sys.executable, "-m", "canarygan_core", *words]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise CanaryganError(f"canarygan {shlex.join(words)} ended with {done.returncode}, as told above.")


def _compare_bytes(before: Manifest, after: Manifest) -> Iterator[str]:
    """The outputs whose bytes are others now, or which are missing."""
    now = after.record["outputs"]
    for name, digest in before.record["outputs"].items():
        if now.get(name) != digest:
            yield f"{name} is {'another' if name in now else 'missing'} now"


def _compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two records, a phrase each."""
    for name in before.keys() | after.keys():
        if before.get(name) != after.get(name):
            yield f"{name} was {before.get(name, 'nothing')}, is {after.get(name, 'nothing')}"


def _list_options(record: Mapping[str, Any]) -> dict[str, Any]:
    """The options by part and name, but for those that say where outputs go and what is taken up."""
    momentary = {"save_dir", "version", "resume", "overwrite", "redo"}
    parts = {part: one if isinstance(one, Mapping) else {"chosen": one} for part, one in record["options"].items()}
    return {f"{part}.{name}": one for part, own in parts.items() for name, one in own.items() if name not in momentary}


def _list_versions(*records: Mapping[str, Any]) -> list[dict[str, str]]:
    """The versions in each record, of what both had loaded."""
    versions = [record.get("versions", {}) for record in records]
    common = set.intersection(*map(set, versions))
    return [{name: one[name] for name in common} for one in versions]


def _list_data(record: Mapping[str, Any]) -> dict[str, Any]:
    """The digests of what the work read: its clips, and the other inputs by name."""
    inputs = {name: one.get("digest") for name, one in record.get("inputs", {}).items()}
    return {"clips": record.get("dataset", {}).get("fingerprint"), **inputs}
