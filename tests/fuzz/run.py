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

SECONDS, BYTES = 10.0, 1 << 30
"""Processor time that one file may take, and memory beyond that of the process before the first."""


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
        self.slowest = 0.0

    def attempt(self, number: int) -> str | None:
        """Damage and read a file; gives what failed."""
        from canarygan_core.errors import CanaryganError

        at, draw = number % len(self.readers), random.Random(number)
        one, place, whole = self.readers[at], self.folders[at], self.whole[at]
        failure, began = None, time.process_time()
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
            self.slowest = max(self.slowest, time.process_time() - began)
            for path, content in whole.items():
                if not path.is_file() or path.read_bytes() != content:
                    path.write_bytes(content)
        self.counts[one.name][outcome] += 1
        return None if failure is None else f"{number} {one.name} ({one.file}): {failure}"


def limit() -> None:
    """Bound the memory of this process, and let it be interrupted."""
    signal.signal(signal.SIGPROF, _interrupt)
    status = Path("/proc/self/status")
    if status.is_file():
        data = next(line for line in status.read_text().splitlines() if line.startswith("VmData"))
        most = int(data.split()[1]) * 1024 + BYTES
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _interrupt(number: int, frame: object) -> None:
    raise TooSlow


def work(first: int, count: int, step: int, place: Path, chosen: Sequence[str] = ()) -> None:
    """Attempt every `step`-th of the numbers from `first` on; counts and failures go to a file beside the folder."""
    warnings.simplefilter("ignore")
    logging.disable()
    bench = Bench(place, chosen)
    limit()
    failures: list[str] = []

    def tell() -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        done = {"counts": bench.counts, "failures": failures, "slowest": bench.slowest, "peak": peak}
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
    counts: dict[str, Counter[str]] = {}
    failures, peak, slowest = [], 0, 0.0
    for number, process in enumerate(started):
        process.wait()
        told = folder / f"{number}.json"
        if process.returncode or not told.is_file():
            at = folder / f"{number}.at"
            failures.append(f"{at.read_text() if at.is_file() else 'start'}: the process died ({process.returncode})")
        if not told.is_file():
            continue
        done = json.loads(told.read_text())
        failures += done["failures"]
        peak, slowest = max(peak, done["peak"]), max(slowest, done["slowest"])
        for name, part in done["counts"].items():
            counts.setdefault(name, Counter()).update(part)
    shutil.rmtree(folder, ignore_errors=True)
    columns = ("read", "refused", "raised", "slow")
    print(f"{'reader':<28}" + "".join(f"{name:>9}" for name in columns))
    for name, part in sorted(counts.items()):
        print(f"{name:<28}" + "".join(f"{part[column]:>9}" for column in columns))
    total, minutes = sum(sum(part.values()) for part in counts.values()), (time.monotonic() - began) / 60
    print(
        f"{total} mutations of {len(counts)} readers, {len(failures)} failures; the slowest took {slowest:.2f} s of "
        f"processor time; {peak / 1e9:.2f} GB at most a process; {minutes:.1f} min."
    )
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
