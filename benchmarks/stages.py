"""Put every stage in one table: the results of training, classifier.py, decoders.py and growth.py, with the limits.

    python benchmarks/stages.py

Reads the JSON files of these benchmarks in benchmarks/results, and writes stages.json and stages.md there.
`nox -s bench` runs all of them first.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import machine

Row = dict[str, Any]


def measured(name: str) -> dict[str, Any]:
    """Read the result of a benchmark."""
    path = Path(__file__).parent / "results" / f"{name}.json"
    if not path.is_file():
        raise SystemExit(f"There is no {path.name} in benchmarks/results: run benchmarks/{name}.py, or nox -s bench.")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def row(stage: str, unit: str, plain: float, ours: float, work: float = 0.0, limit: float = 0.0) -> Row:
    """Make the row of a stage: units a second both ways, and our share of a limit (Gop/s) by the work (op a unit)."""
    rate = work * ours / 1e9
    return {
        "stage": stage,
        "unit": unit,
        "plain": plain,
        "ours": ours,
        "ratio": ours / plain,
        "gop_per_s": rate or None,
        "share_of_limit": rate / limit if work else None,
    }


def of_training(found: dict[str, Any]) -> Iterator[Row]:
    for cell in found["cells"]:
        size = f"d = {cell['dim']}, batch {cell['batch']}"
        for name, took in cell["ours"].items():
            plain, ours = 1 / cell["plain"]["iteration_s"], 1 / took["iteration_s"]
            limit = found["limits"][f"convolution_{name}"]
            yield row(f"training, {size}, {name}", "iterations", plain, ours, cell["operations"], limit)
    for cell in found["cells"]:
        if cell["generating"]:
            plain, ours = cell["plain"]["generated_per_s"], cell["generating"]["generated_per_s"]
            work, limit = cell["operations_a_sound"], found["limits"]["convolution_bfloat16"]
            yield row(f"generation, d = {cell['dim']}, batch 100", "sounds", plain, ours, work, limit)


def of_classifier(found: dict[str, Any], limits: dict[str, float]) -> Iterator[Row]:
    limit = limits["convolution_bfloat16" if found["bfloat16"] else "convolution_float32"]
    stages = {
        "epoch": ("epoch", 3, found["trained_on"]),
        "scoring": ("scoring of 1 s", 1, 1),
        "scoring_ending": ("scoring of 0.256 s in 1 s", 0, 1),
        "scoring_recorded": ("scoring of recorded syllables", 0, 1),
    }
    for stage, (told, passes, clips) in stages.items():
        if f"{stage}_s" in found:
            plain, ours = (clips / found[f"{stage}_s"][name] for name in ("plain", "ours"))
            yield row(f"classifier, {told}", "clips", plain, ours, passes * found["operations_a_clip"], limit)


def of_decoders(found: dict[str, Any]) -> Iterator[Row]:
    made, esn = found["features"], found["esn"]
    yield row("decoders, features of WAV files", "clips", made["librosa_files_per_s"], made["ours_files_per_s"])
    for stage in ("fit", "predict"):
        yield row(f"decoders, ESN {stage}", "clips", esn[f"reservoirpy_{stage}_per_s"], esn[f"ours_{stage}_per_s"])


def text(rows: list[Row], limits: dict[str, float], about: dict[str, object]) -> str:
    """Format the table as Markdown."""
    told = ", ".join(f"{name.replace('_', ' in ')} {value:.0f}" for name, value in limits.items())
    lines = [
        "# Every stage, against a straightforward implementation in the same run",
        "",
        f"Units a second. The machine alone, giga operations a second: {told}. Operations are counted on paper, of "
        "what the stage cannot do without; the share is that of the library's convolution in the arithmetic of the "
        "stage. How time and memory grow with the clips: [growth.md](growth.md).",
        "",
        "| stage | unit | straightforward | ours | ratio | Gop/s | share |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in rows:
        cells = [one["stage"], one["unit"], f"{one['plain']:.3g}", f"{one['ours']:.3g}", f"**{one['ratio']:.2f}**"]
        cells += [f"{one['gop_per_s']:.0f}", f"{one['share_of_limit']:.0%}"] if one["gop_per_s"] else ["", ""]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", machine.line(about), ""])


def main() -> None:
    training, classifier, decoders = measured("training"), measured("classifier"), measured("decoders")
    limits = training["limits"]
    rows = [*of_training(training), *of_classifier(classifier, limits), *of_decoders(decoders)]
    result = {"machine": training["machine"], "limits": limits, "stages": rows, "growth": measured("growth")["clips"]}
    machine.keep("stages", result, text(rows, limits, training["machine"]))


if __name__ == "__main__":
    main()
