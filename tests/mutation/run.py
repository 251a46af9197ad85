"""How many faults would the tests notice? One is made at a time: nox -s mutation -- --sample 10.

What was found before holds, so that a part can be tried at a time.
"""

import argparse
import fnmatch
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from mutation.mutants import STAGE, list_mutants, stage
from mutation.report import LOST, count, write_report

RESULTS = STAGE / "results.jsonl"
NAMES = (
    *("api", "binding", "binding_messages", "choosing", "claims", "distributions", "documents", "drafts", "files"),
    *("finding_runs", "formats", "help", "loading", "locks", "manifest", "manifest_status", "moved_modules"),
    *("new_plugins", "offers", "option_records", "processes", "records_below", "registry", "replacing_folder"),
    *("run_folders", "seal_text", "seals", "table_text", "tables", "verification"),
    *("version_choice", "version_owners", "versions"),
)
TESTS = [f"tests/test_{name}.py" for name in NAMES]


def read_results(mutants: Mapping[str, str], *, first: bool = False) -> dict[str, str]:
    """By mutant, the newest result, or the first; what was found of a fault that is another now is let go."""
    lines = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.is_file() else []
    found = [json.loads(line) for line in lines]
    return {name: status for name, change, status in (found[::-1] if first else found) if mutants.get(name) == change}


def try_mutants(mutants: Mapping[str, str], names: Sequence[str], *, anew: bool) -> None:
    """Run the tests with each of these mutants."""
    plan = {"mutants": [(name, mutants[name]) for name in names], "results": RESULTS.name, "anew": anew}
    (STAGE / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    paths = os.pathsep.join([str(STAGE), str(STAGE / "tests")])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        words = ["-q", "-p", "mutation.loop", "-m", "not slow", f"--basetemp={folder}/tests", *TESTS]
        subprocess.run([sys.executable, "-m", "pytest", *words], cwd=STAGE, check=True, env=environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="of each hundred mutants of a module, how many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="*", help="a pattern of mutants' names")
    parser.add_argument("--survivors", action="store_true", help="those that survived so far, again")
    parser.add_argument("--anew", action="store_true", help="forget all that was found before")
    parser.add_argument("--show", action="store_true", help="tell what was found before, and look at no mutant")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/mutation.md")
    given = parser.parse_args()
    if given.anew:
        RESULTS.unlink(missing_ok=True)
    if not given.show:
        stage()
    mutants = list_mutants()
    results = read_results(mutants)
    chosen = [name for name in mutants if fnmatch.fnmatch(name, given.only)]
    if given.sample:
        chosen = draw(chosen, given.sample, given.seed)
    random.Random(given.seed).shuffle(chosen)  # so that what is done when it is stopped is a fair part
    if not given.show:
        lost = [name for name in chosen if results.get(name) in LOST]
        left = [name for name in chosen if name not in results]
        try_mutants(mutants, lost if given.survivors else left, anew=given.anew)
        results = read_results(mutants)
    for name in chosen:
        if results.get(name) in LOST:
            print(f"{name}: {results[name]}\n{mutants[name]}\n")
    if given.write:
        write_report(mutants, results, read_results(mutants, first=True))
    print(*(f"{module}: {dict(one)}" for module, one in count(mutants, results).items()), sep="\n")


def draw(names: list[str], share: int, seed: int) -> list[str]:
    """This share of the mutants of each module, in percent."""
    modules = defaultdict(list)
    for name in names:
        modules[name.rpartition(".")[0]].append(name)
    generator = random.Random(seed)
    return [one for own in modules.values() for one in generator.sample(own, max(1, len(own) * share // 100))]


if __name__ == "__main__":
    main()
