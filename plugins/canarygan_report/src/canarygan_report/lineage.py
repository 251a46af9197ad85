"""What other tasks have made of a run, wherever they put it near by: found by digests in manifests, not by names."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from canarygan_core import CanaryganError
from canarygan_core.runs import Manifest, Run, files

NEAR = ("", "*/", "*/*/", "*/checkpoints/version_*/")
"""Where manifests lie in a folder in which somebody works."""


@dataclass(frozen=True, eq=False)
class Lineage:
    """The manifests near by, and which of them tell of this run.

    Attributes:
        places: the folders that were looked through, two folders deep.
        manifests: of all work near by, the oldest first.
        made: of what was made from the run or from the sounds given.
        tools: of what that was made with, such as decoders, and of what was made of the same clips.
    """

    places: Sequence[Path] = ()
    manifests: Sequence[Manifest] = ()
    made: Sequence[Manifest] = ()
    tools: Sequence[Manifest] = ()

    @classmethod
    def find(cls, run: Run | None, given: Path | None, folders: Iterable[Path]) -> "Lineage":
        """Look around.

        Args:
            run: the run, or None.
            given: an archive that the user gave, or None.
            folders: where to look besides the folders of these.
        """
        if run is None and given is None:
            return cls()
        near = [*folders, *(() if given is None else (given.parent, given.resolve().parent.parent))]
        near += [] if run is None else [run.save_dir, run.save_dir.resolve().parent]
        places = [*{place.resolve(): place for place in reversed(near)}.values()][::-1]
        found = [path for place in places for pattern in NEAR for path in place.glob(f"{pattern}*manifest.json")]
        found += [] if run is None else run.save_dir.rglob("*manifest.json")
        first = {path.resolve(): path for path in reversed(found)}
        manifests = sorted(_read(first.values()), key=_find_start)
        digests = set() if run is None else _list_digests(run)
        digests |= set() if given is None else {_find_digest(given, manifests)}
        made = _follow(manifests, digests, run)
        used = {one["digest"] for manifest in made for one in manifest.record.get("inputs", {}).values()}
        tools = [one for one in manifests if used & set(one.record.get("outputs", {}).values())]
        prints = {one.record.get("dataset", {}).get("fingerprint") for one in ([] if run is None else [run.manifest])}
        alike = [one for one in manifests if one.record.get("dataset", {}).get("fingerprint") in prints - {None}]
        same = _follow(manifests, {digest for one in alike for digest in one.record.get("outputs", {}).values()}, None)
        return cls(places, manifests, made, [*tools, *alike, *same])

    def list_made(self, task: str | None = None, ending: str = "") -> list[Path]:
        """The files that are made of the run, by a task or any, and are there; the oldest first."""
        return _list_outputs([one for one in self.made if task in (None, one.record["task"])], ending)

    def list_tools(self) -> list[Path]:
        """The files beside what the run's sounds were labelled and scored with, or of the same clips."""
        return _list_outputs(self.tools)

    def is_of_another(self, path: Path) -> bool:
        """Whether a manifest tells of a file, and of no work on this run."""
        return path.resolve() in {*map(Path.resolve, _list_outputs(self.manifests))} - {*self._list_own()}

    def _list_own(self) -> Iterator[Path]:
        return map(Path.resolve, _list_outputs([*self.made, *self.tools]))


def _read(paths: Iterable[Path]) -> Iterator[Manifest]:
    """The manifests that can be read; damaged ones are no part of the report."""
    for path in paths:
        try:
            yield Manifest.read(path)
        except CanaryganError:
            continue


def _find_start(manifest: Manifest) -> str:
    return str(manifest.record.get("started", ""))


def _list_digests(run: Run) -> set[str]:
    """The digests of a run's checkpoints."""
    last = {files.compute_digest(path) for path in (run.last,) if path.is_file()}
    return last | set(run.manifest.record.get("outputs", {}).values())


def _find_digest(path: Path, manifests: Iterable[Manifest]) -> str:
    """The digest of a file, as the manifest of the work that left it says, or else computed."""
    for manifest in manifests:
        for name, digest in manifest.record.get("outputs", {}).items():
            if (manifest.path.parent / name).resolve() == path.resolve():
                return str(digest)
    return files.compute_digest(path)


def _follow(manifests: Sequence[Manifest], digests: Collection[str], run: Run | None) -> list[Manifest]:
    """The manifests of work that read what has one of these digests, or what such work has left, and so on."""
    known, found = set(digests), dict[Path, Manifest]()
    before = -1
    while len(found) != before:  # some clocks go wrong, so that the order by start may not be trusted
        before = len(found)
        for one in manifests:
            if one.path in found or (run is not None and one.path.resolve() == run.manifest.path.resolve()):
                continue
            inputs = one.record.get("inputs", {}).values()
            if any(told["digest"] in known or _is_checkpoint_of(told, one, run) for told in inputs):
                found[one.path] = one
                known |= set(one.record.get("outputs", {}).values())
    return [one for one in manifests if one.path in found]


def _is_checkpoint_of(told: dict[str, str], manifest: Manifest, run: Run | None) -> bool:
    """Whether an input was a checkpoint of a run that has gone on since: one that is there no more, by its place."""
    if run is None or _find_start(manifest) < _find_start(run.manifest) or not told["path"].endswith(".ckpt"):
        return False
    return run.checkpoints.resolve() in (Path(manifest.record.get("cwd", "")) / told["path"]).resolve().parents


def _list_outputs(manifests: Iterable[Manifest], ending: str = "") -> list[Path]:
    paths = [one.path.parent / name for one in manifests for name in one.record.get("outputs", {})]
    return [path for path in paths if path.name.endswith(ending) and path.is_file()]
