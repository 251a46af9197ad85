"""What was found, as a table and a list of what survived, with the reasons in reasons.toml."""

import json
import math
import tomllib
from collections import Counter, defaultdict
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from mutation.mutants import ROOT

RESULTS = ROOT / "benchmarks" / "results"
REASONS = Path(__file__).with_name("reasons.toml")
LOST = ("survived", "no test")
UNKNOWN = "Not looked into"


def write_report(mutants: Mapping[str, str], results: Mapping[str, str], first: Mapping[str, str]) -> None:
    """Write mutation.md and mutation.json.

    Args:
        mutants: the change that each is, by name.
        results: what became of those that were tried.
        first: what became of them when they were tried first, before tests were written for those that survived.
    """
    counts, plain = count(mutants, results), count(mutants, results, wording=False)
    lost = [name for name in sorted(mutants) if results.get(name) in LOST]
    why = {name: reason for reason, names in tomllib.loads(REASONS.read_text("utf-8")).items() for name in names}
    groups = defaultdict(list)
    for name in lost:
        groups[why.get(shorten(name), UNKNOWN)].append(name)
    lines = [
        "# Mutation testing",
        "",
        "One fault at a time is made in the modules below, and the tests of these modules run until one of them fails.",
        f"mutmut {version('mutmut')} makes the faults. Command: `nox -s mutation`.",
        "A fault that keeps the tests from ending counts as caught.",
        "",
        "| module | faults | tried | caught | survived | share |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(tell(f"`{module}`", one) for module, one in counts.items()),
        tell("**all**", sum(counts.values(), Counter())),
        tell("all but those in texts", sum(plain.values(), Counter())),
        "",
        *spread(sum(count(mutants, first).values(), Counter())),
        "## What survived",
        "",
    ]
    for reason, names in sorted(groups.items(), key=lambda group: (group[0] == UNKNOWN, -len(group[1]))):
        lines += [f"### {reason} ({len(names)})", "", "```text"]
        lines += [f"{shorten(name)}\n{mutants[name]}" for name in names]
        lines += ["```", ""]
    RESULTS.joinpath("mutation.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    record = {
        "mutmut": version("mutmut"),
        "modules": {module: dict(one) for module, one in counts.items()},
        "survivors": {reason: sorted(map(shorten, names)) for reason, names in sorted(groups.items())},
    }
    RESULTS.joinpath("mutation.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def count(mutants: Mapping[str, str], results: Mapping[str, str], *, wording: bool = True) -> dict[str, Counter[str]]:
    """By module, how many mutants came to what."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name in sorted(mutants):
        if wording or not is_wording(mutants[name]):
            counts[shorten(name).partition(".x")[0]].update(["faults", results.get(name, "not tried")])
    return counts


def is_wording(change: str) -> bool:
    """Whether a mutant only changes letters of a text."""
    lines = ["".join(line[1:].split()).lower().replace("xx", "") for line in change.splitlines()]
    return len(lines) == 2 and lines[0] == lines[1]


def shorten(name: str) -> str:
    """A mutant's name without what all have."""
    return name.removeprefix("canarygan_core.")


def tell(name: str, one: Counter[str]) -> str:
    """A line of the table."""
    tried = one["faults"] - one["not tried"]
    lost = sum(one[status] for status in LOST)
    share = f"{100 * (tried - lost) / tried:.1f} %" if tried else ""
    return f"| {name} | {one['faults']:,} | {tried:,} | {tried - lost:,} | {lost:,} | {share} |"


def spread(one: Counter[str]) -> list[str]:
    """How far the share among all may be from that of the part that was tried (Wilson, 1927)."""
    tried = one["faults"] - one["not tried"]
    if not one["not tried"] or not tried:
        return []
    caught, z = tried - sum(one[status] for status in LOST), 1.96
    share = caught / tried
    middle = (share + z * z / (2 * tried)) / (1 + z * z / tried)
    half = z * math.sqrt(share * (1 - share) / tried + z * z / (4 * tried * tried)) / (1 + z * z / tried)
    return [
        f"The faults that were tried were drawn at random. When they were first tried, {caught:,} of {tried:,} were",
        f"caught: of all faults {100 * (middle - half):.0f} to {100 * (middle + half):.0f} %, with 95 % confidence. "
        "Tests were then added for what survived.",
        "",
    ]
