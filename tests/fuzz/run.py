"""Damage files at random, and read them: none may raise anything but `CanaryganError`, take 10 s or a gigabyte.

    python -m fuzz.run --mutations 200000 --processes 2

Each damage is a function of its number: `--first NUMBER --mutations 1` repeats one. What fails is printed by reader.
"""

import argparse
import json
import logging
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SECONDS, BYTES = 10.0, 1 << 30
"""Processor time that one file may take, and memory beyond that of the process before the first."""

STATUS = Path("/proc/self/status")
"""Where Linux tells the memory of a process; what is measured by it is 0 elsewhere."""


COLUMNS = ("read", "refused", "raised", "slow")
"""What can come of a damaged file."""


class TooSlow(BaseException):
    """A file took too long; nothing that reads files catches this."""


class Bench:
    """Readers with a folder of whole files each, which are damaged in turn."""

    def __init__(self, folder: Path, chosen: Sequence[str] = ()) -> None:
        from fuzz.readers import list_readers

        self.readers = [one for one in list_readers() if not chosen or one.name in chosen]
        self.folders = [folder / str(number) for number in range(len(self.readers))]
        for one, place in zip(self.readers, self.folders, strict=True):
            place.mkdir(parents=True)
            one.make(place)
            one.read(place)  # a whole file is read
        self.whole = [
            {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} for place in self.folders
        ]
        self.counts = {one.name: Counter[str]() for one in self.readers}
        self.slowest, self.memory = Counter[str](), Counter[str]()

    def attempt(self, number: int) -> str | None:
        """Damage and read a file; gives what failed."""
        from canarygan_core.errors import CanaryganError

        at, draw = number % len(self.readers), random.Random(number)
        one, place, whole = self.readers[at], self.folders[at], self.whole[at]
        failure, began, held = None, time.process_time(), forget_peak()
        try:
            (place / one.file).write_bytes(one.mutate(draw, whole[place / one.file]))
            one.mend(place)
            began = time.process_time()
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            one.read(place)
            outcome = "read"
        except CanaryganError as error:
            outcome = "refused"
            if not str(error).strip(" .:") or str(error).rstrip(".").endswith(":"):
                failure = f"nothing is said: {error}"
        except TooSlow:
            outcome = "slow"
            failure = f"took over {SECONDS:g} s"
        except Exception:  # noqa: BLE001 that is what is looked for
            outcome = "raised"
            failure = traceback.format_exc(limit=-4)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            self.slowest[one.name] = max(self.slowest[one.name], time.process_time() - began)
            self.memory[one.name] = max(self.memory[one.name], read_status("VmHWM") - held)
            for path, content in whole.items():
                if not path.is_file() or path.read_bytes() != content:
                    path.write_bytes(content)
        self.counts[one.name][outcome] += 1
        return None if failure is None else f"{number} {one.name} ({one.file}): {failure}"


def limit() -> None:
    """Bound the memory of this process, and let it be interrupted."""
    signal.signal(signal.SIGPROF, _interrupt)
    if STATUS.is_file():
        most = read_status("VmData") + BYTES
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def read_status(name: str) -> int:
    """A figure of the memory of this process, bytes."""
    if not STATUS.is_file():
        return 0
    return next(int(line.split()[1]) * 1024 for line in STATUS.read_text().splitlines() if line.startswith(name))


def forget_peak() -> int:
    """Begin to measure the peak of memory anew; gives what is held now, bytes."""
    if STATUS.is_file():
        STATUS.with_name("clear_refs").write_text("5")
    return read_status("VmRSS")


def _interrupt(number: int, frame: object) -> None:
    raise TooSlow


def work(first: int, count: int, step: int, place: Path, chosen: Sequence[str] = ()) -> None:
    """Attempt every `step`-th of the numbers from `first` on; counts and failures go to a file beside the folder."""
    warnings.simplefilter("ignore")
    logging.disable()
    bench = Bench(place, chosen)
    limit()
    failures: list[str] = []
    before = read_status("VmRSS")

    def tell() -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        done = {"counts": bench.counts, "slowest": bench.slowest, "memory": bench.memory, "failures": failures}
        done |= {"before": before, "peak": peak}
        place.with_suffix(".json").write_text(json.dumps(done))

    for number in range(first, first + count, step):
        place.with_suffix(".at").write_text(str(number))
        failure = bench.attempt(number)
        if failure is not None:
            failures.append(failure)
            print(failure, file=sys.stderr, flush=True)
        if number // step % 500 == 0:
            tell()
    tell()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=200_000, help="how many, count")
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--processes", type=int, default=2, help="how many at a time, count")
    parser.add_argument("--reader", action="append", default=[], help="only this reader; may be given again")
    parser.add_argument("--json", type=Path, help="file for the table")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.worker is not None:
        first, count = words.first + words.worker, words.mutations - words.worker
        work(first, count, words.processes, words.folder / str(words.worker), words.reader)
        return 0
    began, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="canarygan-fuzz-"))
    command = [sys.executable, "-m", "fuzz.run", *sys.argv[1:], "--folder", str(folder)]
    started = [subprocess.Popen([*command, "--worker", str(one)]) for one in range(words.processes)]
    told = [gather(process, folder / str(number)) for number, process in enumerate(started)]
    shutil.rmtree(folder, ignore_errors=True)
    command = " ".join(["python -m fuzz.run", *sys.argv[1:]])
    result = {"command": command} | combine(told) | {"minutes": round((time.monotonic() - began) / 60, 1)}
    print(format_result(result))
    if words.json:
        words.json.write_text(json.dumps(result, indent=1) + "\n")
    return int(bool(result["failures"]))


def gather(process: "subprocess.Popen[bytes]", place: Path) -> dict[str, Any]:
    """What a worker told, once it has ended; how it died is a failure."""
    process.wait()
    told, at = place.with_suffix(".json"), place.with_suffix(".at")
    done = json.loads(told.read_text()) if told.is_file() else {"counts": {}, "failures": []}
    if process.returncode or not told.is_file():
        last = at.read_text() if at.is_file() else "start"
        done["failures"].append(f"{last}: the process died ({process.returncode})")
    return done


def combine(told: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What all workers told: rows of readers, and the failures and memory of all."""
    rows = []
    for name in sorted({name for one in told for name in one["counts"]}):
        held = [one for one in told if name in one["counts"]]
        counts = sum((Counter(one["counts"][name]) for one in held), Counter[str]())
        row = {"reader": name, "mutations": counts.total(), **{column: counts[column] for column in COLUMNS}}
        row["seconds"] = round(max(one["slowest"].get(name, 0) for one in held), 3)
        row["memory"] = max(one["memory"].get(name, 0) for one in held)
        rows.append(row)
    failures = [failure for one in told for failure in one["failures"]]
    peaks = {key: max((one.get(key, 0) for one in told), default=0) for key in ("before", "peak")}
    return {"rows": rows, "mutations": sum(row["mutations"] for row in rows), "failures": failures, **peaks}


def format_result(result: dict[str, Any]) -> str:
    """The result as a table and a sentence."""
    rows = result["rows"]
    heads = (*COLUMNS, "s", "MB")
    lines = [f"{'reader':<28}" + "".join(f"{name:>9}" for name in heads)]
    for row in rows:
        cells = [*(row[column] for column in COLUMNS), f"{row['seconds']:.2f}", f"{row['memory'] / 1e6:.0f}"]
        lines.append(f"{row['reader']:<28}" + "".join(f"{cell:>9}" for cell in cells))
    slowest, most = (max((row[key] for row in rows), default=0) for key in ("seconds", "memory"))
    most, before, peak = (round(size / 1e6) for size in (most, result["before"], result["peak"]))
    lines.append(
        f"{result['mutations']} mutations of {len(rows)} readers, {len(result['failures'])} failures; the slowest took "
        f"{slowest:.2f} s of processor time, the largest {most} MB; a process held {before} MB before the first and "
        f"{peak} MB at most; {result['minutes']:.1f} min."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
