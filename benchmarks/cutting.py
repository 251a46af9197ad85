"""Measure how long cutting syllables out of long recordings takes, and its memory, beside librosa.load a syllable.

    python benchmarks/cutting.py [--hours 0.25 1 2] [--syllables 10000] [--rate 32000] [--name cutting]

Recordings of five minutes are made of tones in noise, with a label track of Audacity each; `--syllables` is an hour's.
`cut` reads, checks, filters above 700 Hz, resamples to 16 kHz, writes WAV files, and draws its contact sheet. librosa
loads each stretch with its own offset and duration at 16 kHz and filters nothing; the same WAV writer takes what it
gives. CPU is the time of all threads, which other work on the machine hardly changes. Memory is the peak of the
anonymous pages of a process. Writes NAME.json and NAME.md into benchmarks/results.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machine
import numpy as np
import soundfile

MINUTES, CORES = 5, 2

LIBROSA = """
import sys
from pathlib import Path
import librosa
from canarygan_core import audio
folder, target = map(Path, sys.argv[1:])
for path in sorted(folder.glob("*.wav")):
    for number, line in enumerate(path.with_suffix(".txt").read_text().splitlines()):
        onset, offset, label = line.split("\\t")
        begin, end = float(onset) - 0.01, float(offset) + 0.01
        sound, _ = librosa.load(path, sr=16000, offset=begin, duration=end - begin)
        audio.write(target / label / f"{path.stem}_{number:05d}.wav", sound, 16000)
"""


def record(folder: Path, hours: float, syllables: int, rate: int) -> int:
    """Write recordings of so many hours with so many syllables an hour; gives how many there are."""
    drawn = np.random.default_rng(0)
    folder.mkdir()
    files = max(1, round(hours * 60 / MINUTES))
    each = round(syllables * MINUTES / 60)
    for number in range(files):
        sound = drawn.normal(0, 0.002, MINUTES * 60 * rate).astype(np.float32)
        lines = []
        for place in range(each):
            onset = (place + 0.2) * MINUTES * 60 / each
            length = float(drawn.uniform(0.05, 0.12))
            start, count = round(onset * rate), round(length * rate)
            pitch = 1500 + 400 * (place % 10)
            sound[start : start + count] += 0.3 * np.sin(2 * np.pi * pitch * np.arange(count) / rate)
            lines.append(f"{onset:.6f}\t{onset + length:.6f}\t{'abcdefghij'[place % 10]}\n")
        soundfile.write(folder / f"bird_{number:03d}.wav", sound, rate, subtype="PCM_16")
        (folder / f"bird_{number:03d}.txt").write_text("".join(lines), encoding="utf-8")
    return files * each


def watch(words: list[object]) -> dict[str, float]:
    """Run a Python command: seconds, seconds of CPU, and peak of anonymous memory, MB."""
    began, memory = time.perf_counter(), 0
    child = subprocess.Popen([sys.executable, *map(str, words)], env={**os.environ, "OMP_NUM_THREADS": str(CORES)})
    while True:
        ended, status, usage = os.wait4(child.pid, os.WNOHANG)
        if ended:
            break
        try:
            with open(f"/proc/{child.pid}/status", encoding="utf-8") as stream:
                told = dict(line.split(":", 1) for line in stream)
            memory = max(memory, int(told.get("RssAnon", "0").split()[0]))
        except (FileNotFoundError, ProcessLookupError):
            pass
        time.sleep(0.02)
    assert status == 0, words
    took = time.perf_counter() - began
    return {"s": took, "cpu_s": usage.ru_utime + usage.ru_stime, "mb": memory / 1024}


def format_table(rows: list[dict], told: dict[str, object]) -> str:
    """The results as a page."""
    lines = [
        "# Cutting syllables out of recordings",
        "",
        f"Recordings of {MINUTES} minutes, on {CORES} cores; time of a whole command, and its most anonymous memory. "
        "`cut` also filters and draws; librosa does neither.",
        "",
        "| hours | syllables | cut, s | CPU, s | MB | librosa.load, s | CPU, s | MB |",
        "| ---: |" + " ---: |" * 7,
    ]
    for row in rows:
        cells = []
        for way in ("cut", "librosa"):
            told_of = row.get(way, {})
            cells.append(" | ".join(f"{told_of[key]:.1f}" if told_of else "-" for key in ("s", "cpu_s", "mb")))
        lines.append(f"| {row['hours']:g} | {row['syllables']:,} | {' | '.join(cells)} |")
    load = ", ".join(f"{value:g}" for value in told["load"])
    return "\n".join([*lines, "", f"{machine.line(told)} Load of the machine before: {load}.", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, nargs="+", default=[0.25, 1, 2])
    parser.add_argument("--syllables", type=int, default=10_000, help="an hour")
    parser.add_argument("--rate", type=int, default=32_000, help="of the recordings, Hz")
    parser.add_argument("--name", default="cutting")
    options = parser.parse_args()
    told, rows = machine.described(), []
    for hours in options.hours:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["CANARYGAN_CACHE"] = str(Path(folder) / "cache")
            data = Path(folder) / "data"
            row: dict = {"hours": hours, "syllables": record(data, hours, options.syllables, options.rate)}
            target = Path(folder) / "cut"
            words = ["-m", "canarygan", "cut", "-d", data, "-s", target, "--highpass", 700, "-q"]
            row["cut"] = watch(words)
            assert len(list(target.glob("*/*.wav"))) == row["syllables"]
            if hours <= 1:
                row["librosa"] = watch(["-c", LIBROSA, data, Path(folder) / "librosa"])
            rows.append(row)
            print(row, flush=True)
    machine.keep(options.name, {"machine": told, "rows": rows}, format_table(rows, told))


if __name__ == "__main__":
    main()
