"""Kill every task at many moments and check what follows: python tests/crash/run.py [--kills N] [--only NAME ...]

The moments of a scenario come in a random order, and at most 15 of them once --seconds of processor time are over.
For each kill: nothing is half written under its final name; the next command ends well and leaves no draft; and its
results are those of a command that was not killed. One kill in two is followed by another, of the next command.
"""

import argparse
import json
import os
import pkgutil
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", NUMBA_THREADING_LAYER="workqueue", NUMBA_NUM_THREADS="1", MPLBACKEND="agg")
sys.path.insert(0, str(Path(__file__).parent))

from harness import FAULTS, KILLED, Place, choose_changes, copy_tree
from inspection import compare, find_broken, find_left, find_written, summarise
from scenarios import SCENARIOS, Scenario

HEAVY = ("torch", "lightning.pytorch", "lightning.pytorch.loggers", "sklearn.neighbors", "matplotlib.figure", "scipy")
"""What is imported before children are forked."""


LEAST = 15
"""Moments of a scenario that are tried however long they take."""


class Crash:
    """The kills of all scenarios, counted.

    Args:
        folder: to work in.
        seed: of the moments.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.rng = folder, random.Random(seed)
        self.place = Place(folder / "work")
        self.bases: dict[tuple[Any, ...], Path] = {}
        self.table: list[dict[str, Any]] = []
        self.failures: list[str] = []

    def prepare(self, scenario: Scenario) -> Path:
        """The folder of what is there before a command, made once for all that begin alike."""
        key = (*scenario.base, scenario.cached)
        if key not in self.bases:
            shorter = scenario.base[:-1]
            if shorter:
                copy_tree(self.prepare(Scenario("", (), shorter, cached=scenario.cached)), self.place.root)
            else:
                shutil.rmtree(self.place.root, ignore_errors=True)
                self.place.root.mkdir()
            if scenario.base:
                ended = self.place.run(scenario.base[-1])
                if ended.code:
                    raise SystemExit(f"{scenario.base[-1]} cannot be prepared ({ended.code}):\n{ended.text}")
                if not scenario.cached:
                    shutil.rmtree(self.place.root / "cache", ignore_errors=True)
            self.bases[key] = self.folder / f"base{len(self.bases)}"
            copy_tree(self.place.root, self.bases[key])
        return self.bases[key]

    def kill(self, scenario: Scenario, most: int, seconds: float) -> None:
        """Kill a scenario's command at most so many times, and let it fail.

        Args:
            scenario: the command.
            most: moments, but for a few that bound the size of files.
            seconds: of processor time, after which it ends early.
        """
        base, began = self.prepare(scenario), measure_time()
        self._lay(base, scenario)
        whole = self.place.run(scenario.words)
        if whole.code:
            raise SystemExit(f"{scenario.name} ends with {whole.code}:\n{whole.text}")
        expected = summarise(self.place.root)
        counts: Counter[str] = Counter()
        self._tell(
            f"{scenario.name}", [f"in place: {one}" for one in find_written(self.place.root, whole.opened)], counts
        )
        at_changes = choose_changes(whole.changes, max(1, round(most * 0.65)), self.rng)
        moments: list[dict[str, Any]] = [{"at": at} for at in at_changes]
        share = 0.25 if whole.changes else 0.9
        moments += [{"after": self.rng.uniform(0, whole.seconds)} for _ in range(round(most * share))]
        faults = choose_changes(whole.changes, max(1, most - len(moments)), self.rng)
        moments += [{"at": at, "fault": self.rng.choice(sorted(FAULTS))} for at in faults]
        sizes = [path.stat().st_size for path in self.place.root.rglob("*") if path.is_file()]
        moments += [{"limit": self.rng.randrange(64, max(sizes))} for _ in range(max(1, most // 20))]
        self.rng.shuffle(moments)
        for number, moment in enumerate(moments):
            if number >= LEAST and measure_time() - began > seconds:
                break
            self._lay(base, scenario)
            self._check(scenario, moment, expected, counts, again=number % 2 == 1)
        row = {"scenario": scenario.name, "changes": whole.changes, **counts}
        row["seconds"] = round(measure_time() - began, 1)
        self.table.append(row)
        print(json.dumps(row), flush=True)

    def _lay(self, base: Path, scenario: Scenario) -> None:
        copy_tree(base, self.place.root)
        for name, text in scenario.planted.items():
            (self.place.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.place.root / name).write_text(text)

    def _check(
        self, scenario: Scenario, moment: dict[str, Any], expected: Any, counts: "Counter[str]", *, again: bool
    ) -> None:
        ended = self.place.run(scenario.words, **moment)
        kind = "faults" if moment.keys() & {"fault", "limit"} else "kills"
        problems = [f"half written: {one}" for one in find_broken(self.place.root)]
        if kind == "kills" and ended.code not in (0, KILLED):
            problems.append(f"ended with {ended.code}: {ended.text[-500:]}")
        if kind == "faults" and (ended.code not in (0, 1) or "Traceback" in ended.text):
            problems.append(f"answered a fault with {ended.code}: {ended.text[-1500:]}")
        counts[kind] += kind == "faults" or ended.code == KILLED
        if again:
            second = self.place.run(scenario.follow(self.place.root), at=self.rng.randrange(1, 20))
            problems += [f"half written after a second kill: {one}" for one in find_broken(self.place.root)]
            counts["kills"] += second.code == KILLED
        healed = self.place.run(scenario.follow(self.place.root))
        if healed.code:
            problems.append(f"the next command ended with {healed.code}: {healed.text[-1500:]}")
        if left := find_left(self.place.root):
            problems.append(f"left: {left}")
        lost = "/previews/" if "No preview of" in ended.text else "\0"  # which a training only warns of
        if differing := [one for one in compare(summarise(self.place.root), expected) if lost not in one]:
            problems.append(f"differs: {differing}")
        self._tell(f"{scenario.name} {moment}{' twice' if again else ''}", problems, counts)

    def _tell(self, when: str, problems: Sequence[str], counts: "Counter[str]") -> None:
        for problem in problems:
            counts[problem.split(":")[0]] += 1
            self.failures.append(f"{when} {problem}")
            print(self.failures[-1], flush=True)


def measure_time() -> float:
    """Processor time of this process and of its children, seconds."""
    return sum(os.times()[:4])


def load(scenarios: Sequence[Scenario]) -> None:
    """Import what is heavy, and compile what is compiled, so that no child has to."""
    import importlib

    import canarygan_metrics
    import canarygan_wavegan
    import matplotlib as mpl

    import canarygan_core
    from canarygan_core.plugins import get_registry
    from canarygan_core.testing import toy_clips

    for name in HEAVY:
        importlib.import_module(name)
    for package in (canarygan_core.lightning, canarygan_wavegan, canarygan_metrics.classifier):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    mpl.figure.Figure.draw = lambda *_: None  # pictures cost the most, and show nobody anything
    mpl.rcParams["figure.dpi"] = 10
    if any(one.name.startswith(("umap", "project")) for one in scenarios):
        from canarygan_metrics.umap.projector import UMAP

        UMAP().fit(toy_clips(24, classes=2)).project(toy_clips(4))
    get_registry()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=40, help="at most so many of each scenario, faults included")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of processor time for each scenario")
    parser.add_argument("--only", nargs="*", help="names of scenarios")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="file for the table")
    asked = parser.parse_args()
    chosen = [one for one in SCENARIOS if not asked.only or one.name in asked.only]
    load(chosen)
    with tempfile.TemporaryDirectory(prefix="crash-") as name:
        crash = Crash(Path(name), asked.seed)
        for scenario in chosen:
            crash.kill(scenario, asked.kills, asked.seconds)
            totals = {key: sum(row.get(key, 0) for row in crash.table) for key in ("kills", "faults")}
            command = " ".join(["python tests/crash/run.py", *sys.argv[1:]])
            told = {"command": command, "table": crash.table, **totals, "problems": crash.failures}
            if asked.json:
                asked.json.write_text(json.dumps(told, indent=1) + "\n")
    print(f"{totals['kills']} kills and {totals['faults']} faults: {len(crash.failures)} problems.")
    return 1 if crash.failures else 0


if __name__ == "__main__":
    sys.exit(main())
