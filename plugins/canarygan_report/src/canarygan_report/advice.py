"""What is missing from a page, with the commands that make it as they are to be typed."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from canarygan_core.datasets.folder import Folder
from canarygan_core.plugins.options import spell
from canarygan_report.inputs import Inputs

FOUND = ("inception", "scores", "confusion", "map")
"""The sections whose files are looked for in several places."""


def find_missing(inputs: Inputs, content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By section, what is missing, the commands that make it one after the other, and where it was looked for.

    What a command needs first, such as a classifier, is made first, and nothing that is there is written over. DATA
    stands for real clips, which only the user knows.
    """
    data = _spell_data(inputs)
    run = "runs" if inputs.run is None else shlex.quote(str(inputs.run.checkpoints))
    given = inputs.given.generated or (inputs.generated and inputs.generated.path)
    if not content["shares"]:  # sounds with labels are made, and all that is missing is to be of these
        given = None
    sounds = _find_free("generated") if given is None else shlex.quote(str(given))
    classifier, decoders = _find_tool(inputs, "train-inception"), _find_tool(inputs, "train-decoders")
    learning = [] if classifier else [f"train-inception {data} -s {_find_free('inception')}"]
    teaching = [] if decoders else [f"train-decoders {data} -s {_find_free('decoders')}"]
    listening = f"-m {classifier or _find_free('inception')}"
    labelling = [
        *teaching,
        f"generate -x {run} -y {decoders or _find_free('decoders')} -n 2000 -s {_find_free('generated')}",
    ]
    making = [] if given is not None else labelling
    file = f"is_scores-version_{inputs.version}.yml"
    inception = f"inception gan {listening} -x {run}{_save('inception-scores', file)}"
    missing = {
        "run": ("No run yet.", [f"train-gan {data}"]),
        "curves": ("No training curves: no logs of a run.", [f"train-gan {data}"]),
        "inception": ("No inception scores by epoch found.", [*learning, inception]),
        "scores": (
            "No scores of metrics found.",
            [*learning, *making, f"score {listening} {data} {sounds}{_save('scores', 'scores.json')}"],
        ),
        "confusion": ("No confusion of a decoder found.", [f"train-decoders {data} -s {_find_free('decoders')}"]),
        "shares": ("No labels of generated sounds yet.", labelling),
        "map": ("No map found.", [*making, f"umap {data} -g {sounds}"]),
        "spectra": ("No sounds with labels yet.", labelling),
    }
    absent = {name for name in missing if not content[name]}
    if content["map"] and len(content["map"]["totals"]) < 2:
        absent.add("map")
        if content["map"]["kind"] == "umap":
            missing["map"] = ("The map has one side only, real or generated.", missing["map"][1])
    if inputs.generated is None:
        absent.add("shares")
    if inputs.run is not None and not content["curves"]:
        missing["curves"] = (f"No training curves: version {inputs.version} has left no logs.", [])
    return {
        name: {
            "what": what,
            "commands": [f"canarygan {task}" for task in tasks],
            "looked": _describe_search(inputs) if name in FOUND else "",
        }
        for name, (what, tasks) in missing.items()
        if name in absent
    }


def _spell_data(inputs: Inputs) -> str:
    """The words that give the real clips to a task."""
    if inputs.dataset is None or inputs.real is None:
        return "-d DATA"
    if inputs.dataset.name != Folder.name:
        return spell(inputs.dataset, "--dataset")
    return spell(replace(inputs.dataset, data_dir=Path(inputs.real.origin["path"])))  # type: ignore[call-arg]


def _find_tool(inputs: Inputs, task: str) -> str:
    """The folder of what a task has trained on the run's clips, or that its sounds were labelled with; or nothing."""
    folders = [one.path.parent for one in inputs.lineage.tools if one.record["task"] == task]
    return shlex.quote(str(folders[-1])) if folders else ""


def _find_free(name: str, file: str = "") -> str:
    """The name of a folder in the working directory that is not there, or has not this file."""
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(one for one in names if not Path(one, file).exists())


def _save(folder: str, file: str) -> str:
    """The option that saves elsewhere where a task would save over this file in its own folder."""
    free = _find_free(folder, file)
    return "" if free == folder else f" -s {free}"


def _describe_search(inputs: Inputs) -> str:
    """Where the work of other tasks was looked for, and what finds it elsewhere; empty where nothing was looked at."""
    places = ", ".join(str(place.absolute()) for place in inputs.lineage.places)
    looked = f"Looked for what was made of this run in {places}, two folders deep"
    return places and f"{looked}; --scores, -g and --umap give what lies elsewhere."
