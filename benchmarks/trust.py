"""Write what `nox -s crash` and `nox -s fuzz` found as pages: python benchmarks/trust.py CRASH.json FUZZ.json

    python tests/crash/run.py --kills 40 --seconds 12 --json CRASH.json
    PYTHONPATH=tests python -m fuzz.run --processes 1 --json FUZZ.json

Writes crash.json, crash.md, fuzz.json and fuzz.md into benchmarks/results.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import machine

FOUND = {
    "half written": ("half written", "half written after a second kill", "in place"),
    "next command fails": ("the next command ended with",),
    "left behind": ("left",),
    "result differs": ("differs",),
}
"""The columns of the table of kills, with how the problems in each begin."""


def format_kills(told: dict[str, Any]) -> str:
    """The kills as a page."""
    lines = [
        "# Commands that were killed",
        "",
        "Each command of a scenario is killed before a change that it makes to a file, or at a random moment, or the "
        "disk tells it that there is no room or that it fails. One in two is followed by a kill of the next command. "
        "Then the next command must end well, leave nothing behind, and have the result of one that was not killed: "
        "bytes, weights, scores, tables, records, and the logs but for times.",
        "",
        "| scenario | changes to files | kills | faults | " + " | ".join(FOUND) + " | other | CPU, s |",
        "| --- |" + " ---: |" * (5 + len(FOUND)),
    ]
    known = ("scenario", "changes", "kills", "faults", "seconds")
    totals = dict.fromkeys((*known[1:4], *FOUND, "other", "seconds"), 0)
    for row in told["table"]:
        problems = {key: value for key, value in row.items() if key not in known}
        counts = {
            name: sum(problems.pop(key) for key in list(problems) if key.startswith(beginnings))
            for name, beginnings in FOUND.items()
        }
        cells = {key: row.get(key, 0) for key in known[1:4]} | counts
        cells |= {"other": sum(problems.values()), "seconds": row["seconds"]}
        totals = {key: totals[key] + cells[key] for key in totals}
        lines.append(f"| {row['scenario']} | {' | '.join(map(format_cell, cells.values()))} |")
    lines.append(f"| all | {' | '.join(map(format_cell, totals.values()))} |")
    return "\n".join([*lines, "", describe(told), ""])


def format_mutations(told: dict[str, Any]) -> str:
    """The mutations as a page."""
    before, peak, seconds = told["before"] / 1e6, told["peak"] / 1e6, max(row["seconds"] for row in told["rows"])
    lines = [
        "# Files that were damaged",
        "",
        f"{told['mutations']:,} damaged files, {len(told['failures'])} failures. A failure is anything raised but an "
        "error for people, an error without words, over 10 s of processor time, or over a gigabyte beyond what the "
        f"process held before. The slowest file took {seconds:.2f} s. The process held {before:.0f} MB before the "
        f"first file, which is Python and the libraries, and {peak:.0f} MB at most.",
        "",
        "| reader | mutations | read | refused | failures | slowest, s | memory, MB |",
        "| --- |" + " ---: |" * 6,
    ]
    for row in told["rows"]:
        failed = row["raised"] + row["slow"]
        counts = " | ".join(f"{count:,}" for count in (row["mutations"], row["read"], row["refused"], failed))
        lines.append(f"| {row['reader']} | {counts} | {row['seconds']:.2f} | {row['memory'] / 1e6:.1f} |")
    return "\n".join([*lines, "", f"Memory is what reading a file added. {describe(told)}", ""])


def format_cell(value: float) -> str:
    """A number of a table."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.1f}"


def describe(told: dict[str, Any]) -> str:
    """The machine, and the command."""
    return machine.line(machine.described() | {"command": told["command"]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("crash", type=Path, help="what tests/crash/run.py --json wrote")
    parser.add_argument("fuzz", type=Path, help="what fuzz.run --json wrote")
    asked = parser.parse_args()
    for name, format_page in (("crash", format_kills), ("fuzz", format_mutations)):
        told = json.loads(getattr(asked, name).read_text(encoding="utf-8"))
        machine.keep(name, told, format_page(told))


if __name__ == "__main__":
    main()
