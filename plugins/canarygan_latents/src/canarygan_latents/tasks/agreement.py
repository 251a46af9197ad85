"""`agreement`: what listeners said of stimuli."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from canarygan_core.components import Answer
from canarygan_core.console import log
from canarygan_core.errors import UsageError
from canarygan_core.runs import Manifest, Request, files, tables

if TYPE_CHECKING:
    from canarygan_latents.stimuli.listening import Listening

OUTPUT, TABLE, FIGURE = "agreement.json", "confusion.csv", "confusion.png"
"""What is written: all numbers, the confusion with the key, and its figure."""


def agreement(
    *sheets: Path,
    key: Path,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("agreement"),
    figures: bool = True,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Compare the scoring sheets that listeners filled in with the key, and with each other.

    It gives the confusion of the key's labels with the listeners', Cohen's kappa of each listener with the key and of
    any two listeners, Fleiss' kappa of all, and the share of real and of generated stimuli that were called real.

    Args:
        sheets: Copies of scores.csv, one for each listener and named after the listener; empty rows are not counted.
        key: The key.csv of these stimuli.
        save_dir: Folder for agreement.json, confusion.csv, confusion.png and the manifest.
        figures: Draw confusion.png.
        overwrite: Replace results that are there.
    """
    from canarygan_core.evaluation.accuracy import draw_confusion
    from canarygan_latents.stimuli.listening import Listening
    from canarygan_latents.stimuli.sheets import find_unknown, name_listeners, read_key, read_sheet

    if not sheets:
        raise UsageError("Give the sheets that listeners filled in: canarygan agreement ana.csv ben.csv --key key.csv.")
    if key.resolve() in [path.resolve() for path in sheets]:
        raise UsageError(f"{key} was given as the key and as a sheet, too: leave it out of the sheets.")
    output, table, figure = (save_dir / name for name in (OUTPUT, TABLE, FIGURE))
    absent = files.check_absent(output, table, figure, overwrite=overwrite)
    known = read_key(key)
    read = [read_sheet(path, known) for path in sheets]
    listening = Listening(known, dict(zip(name_listeners(sheets), read, strict=True)))
    for name, answers in listening.sheets.items():
        for label, near in find_unknown(answers, known).items():
            log.warning(f"{name}: the key has no label {label!r}.{near} It counts as another class.")
    result = _collect(listening)
    confusion = listening.count_confusion()
    with Manifest.begin(output.with_suffix(".manifest.json"), request, absent=absent) as manifest:
        manifest.add_input("key", key)
        for name, path in zip(listening.sheets, sheets, strict=True):
            manifest.add_input(f"sheet {name}", path)
        files.write_text(output, json.dumps(result, indent=2) + "\n")
        manifest.add_output(output)
        if confusion is not None:
            counts = zip(confusion.classes, confusion.confusion.tolist(), strict=True)
            rows = [["key", *confusion.classes], *([label, *row] for label, row in counts)]
            files.write_text(table, "".join(map(tables.format_row, rows)))
            manifest.add_output(table)
            if figures:
                title = f"{len(sheets)} listeners, {confusion.clips} labels"
                draw_confusion(figure, confusion, title, rows="Label of the key")
                manifest.add_output(figure)
    return Answer(f"{_describe(listening)}\nWritten: {output}", result)


def _collect(listening: "Listening") -> dict[str, Any]:
    """All numbers, as `agreement.json` has them."""
    from canarygan_latents.stimuli.listening import KINDS

    fleiss, trials = listening.compare_all()
    confusion = listening.count_confusion()
    listeners = {}
    for name, answers in listening.sheets.items():
        with_key = {kind: listening.compare_with_key(name, kind) for kind in KINDS}
        listeners[name] = {
            "trials": len(answers),
            "with_key": {kind: one.to_json() if one else None for kind, one in with_key.items()},
            "called_real": _count_called(listening, [name]),
            "confidence": listening.measure_confidence(name),
        }
    return {
        "listeners": listeners,
        "pairs": [
            {"listeners": list(pair), **(one.to_json() if one else {"kappa": None, "trials": 0})}
            for pair, one in listening.compare_listeners().items()
        ],
        "fleiss": {"kappa": None if math.isnan(fleiss) else fleiss, "trials": trials},
        "called_real": _count_called(listening, list(listening.sheets)),
        "confusion": None
        if confusion is None
        else {"labels": list(confusion.classes), "counts": confusion.confusion.tolist(), **confusion.to_json()},
    }


def _count_called(listening: "Listening", names: list[str]) -> dict[str, Any]:
    kinds = {"real": True, "generated": False}
    return {kind: listening.count_called_real(is_real, names).to_json() for kind, is_real in kinds.items()}


def _describe(listening: "Listening") -> str:
    """The same for people."""
    lines = ["Cohen's kappa with the key:"]
    for name in listening.sheets:
        one = listening.compare_with_key(name)
        lines.append(f"  {name}: {one.describe() if one else 'no trial has a label of both'}")
    pairs = listening.compare_listeners()
    lines += ["Cohen's kappa of two listeners:"] if pairs else []
    for (first, second), one in pairs.items():
        lines.append(f"  {first} and {second}: {one.describe() if one else 'no trial that both labelled'}")
    fleiss, trials = listening.compare_all()
    if not math.isnan(fleiss):
        lines.append(f"Fleiss' kappa of all: {fleiss:.2f} ({trials} trials that all labelled)")
    for what, is_real in (("real", True), ("generated", False)):
        called = listening.count_called_real(is_real)
        if called.trials:
            lines.append(f"Called real, of {what} stimuli: {called.describe()}")
    confusion = listening.count_confusion()
    if confusion is not None:
        lines.append(f"Labels as in the key: {confusion.describe()}")
    return "\n".join(lines)
