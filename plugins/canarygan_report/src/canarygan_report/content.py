"""The content of a page as JSON values."""

import base64
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_report import material, points, records
from canarygan_report.advice import find_missing
from canarygan_report.inputs import Inputs, Notes
from canarygan_report.material import Layout
from canarygan_report.records import Json

FIGURES = 2_000_000
"""Bytes of figures that a projector drew of its own, at most."""

MACHINE = ("accelerator", "devices", "num_nodes", "num_workers")
"""Options that say where a training goes on, and not what it learns."""

READERS = {"inception": records.read_inception, "scores": records.read_scores, "confusion": records.read_confusion}


def make_content(inputs: Inputs, notes: Notes, record: Mapping[str, Any], *, count: int, seed: int) -> Json:
    """All that the page shows.

    Args:
        inputs: what there is.
        notes: takes what could not be read.
        record: the report's own manifest.
        count: points on the map.
        seed: seed of the random choice of points and clips.
    """
    log = None if inputs.run is None else inputs.run.logs("csv") / "metrics.csv"
    curves = notes.read(records.read_curves, log) if log is not None and log.is_file() else None
    given = {path.resolve() for path in inputs.given.scores if path.is_file()}
    tables = {
        kind: [notes.read(reader, path, required=path in given) for path in inputs.tables[kind]]
        for kind, reader in READERS.items()
    }
    sides = (inputs.real, inputs.real_map)
    real_labels = next((side.labels for side in sides if side is not None and side.labels is not None), None)
    all_labels = ({} if real_labels is None else {"real clips": real_labels}) | inputs.labels
    content = {
        "title": f"CanaryGAN {'report' if inputs.version is None else f'version {inputs.version}'}",
        "made": record["started"],
        "system": record["versions"].get("canarygan-report", ""),
        "command": shlex.join(["canarygan", *record["argv"]]),
        "run": _run(inputs),
        "material": _material(inputs),
        "curves": curves,
        **{kind: [table for table in read if table is not None] for kind, read in tables.items()},
        "shares": _shares(inputs, all_labels),
        "map": _map(inputs, notes, count, seed),
        "spectra": _spectra(inputs, real_labels, seed),
    }
    return content | {"missing": find_missing(inputs, content), "notes": list(notes.messages)}


def _run(inputs: Inputs) -> Json | None:
    """The run's record, and the command that makes it again."""
    if inputs.run is None:
        return None
    record = records.as_json(inputs.run.manifest.record)
    command = shlex.join(["canarygan", *_find_words(record)])
    return {"version": inputs.version, "command": command, "manifest": record}


def _find_words(record: Mapping[str, Any]) -> list[str]:
    """The words that make a run again: those that started it, with what was changed when it went on, each flag once.

    Without its version, whose name is taken, and without what says on which machine it went on.
    """
    history = record.get("history")
    first = history[0] if isinstance(history, list) and history else record
    before, now = (one.get("options", {}).get("training", {}) for one in (first, record))
    changed = {
        f"--{name.replace('_', '-')}": str(value)
        for name, value in now.items()
        if before.get(name) != value and type(value) in (int, float, str) and name not in MACHINE
    }
    was, places = ((one.get("options", {}).get("dataset") or {}).get("options", {}) for one in (first, record))
    if (moved := places.get("data_dir")) not in (None, was.get("data_dir")):
        changed["-d"] = str(moved)
    replaced = {"--version", *changed, *(["--data-dir"] if "-d" in changed else [])}
    given = iter(map(str, first.get("argv", [])))
    words = []
    for word in given:
        flag, equals, _ = word.partition("=")
        if flag.replace("_", "-") not in replaced:
            words.append(word)
        elif not equals:
            next(given, None)
    return words + [word for pair in changed.items() for word in pair]


def _material(inputs: Inputs) -> Json:
    """What is known of the sounds on either side."""
    sides: Json = {}
    if (real := inputs.real) is not None:
        sides["real"] = {
            "clips": len(real),
            "classes": len(real.classes),
            "rate": real.rate,
            "path": str(real.origin.get("path", real.origin.get("dataset", ""))),
            "fingerprint": str(real.origin.get("fingerprint", "")),
        }
    if (generated := inputs.generated) is not None:
        size = {"clips": len(generated.audio), "samples": generated.audio.shape[1], "rate": generated.rate}
        sides["generated"] = {**size, "path": str(generated.path), **generated.facts}
    return sides


def _map(inputs: Inputs, notes: Notes, count: int, seed: int) -> Json | None:
    """Points and sounds: on the map of a projector, or else the generated sounds by their first two latent coordinates.

    With the figures that the projector drew of its own, while they take at most `FIGURES` bytes.
    """
    name, labels = next(iter(inputs.labels.items()), (None, None))
    generated, sides, kind = inputs.generated, [], "umap"
    pictures: list[Json] = []
    if inputs.real_map is not None:
        for path in inputs.real_map.figures:
            picture = notes.read(Path.read_bytes, path) or b""
            if sum(len(one["png"]) for one in pictures) * 3 // 4 + len(picture) <= FIGURES:
                pictures.append({"name": path.stem, "png": base64.b64encode(picture).decode()})
        sides.append(points.real_side(inputs.real_map, inputs.real))
    if generated is not None and inputs.generated_map is not None:
        sides.append(points.generated_side(inputs.generated_map, generated, labels))
    elif generated is not None and not sides and generated.latents is not None and generated.latents.shape[1] > 1:
        kind = "latents"
        sides.append(points.generated_side(Layout(np.asarray(generated.latents[:, :2])), generated, labels))
    if not sides:
        return None
    projector = "" if inputs.real_map is None else inputs.real_map.facts.get("projector", "umap")
    about = {"kind": kind, "projector": projector, "labelled": name, "figures": pictures}
    return about | points.points(sides, count=count, seed=seed)


def _shares(inputs: Inputs, labels: Mapping[str, NDArray[np.str_]]) -> Json | None:
    """Shares of classes by each set of labels, and how many generated sounds have a label that is sure."""
    if not inputs.labels:
        return None
    return material.count_shares(labels) | {"consensus": inputs.generated and inputs.generated.consensus}


def _spectra(inputs: Inputs, real_labels: NDArray[np.str_] | None, seed: int) -> Json | None:
    sets = {}
    if inputs.real is not None and inputs.real.labels is not None:
        sets["real"] = (inputs.real.audio, inputs.real.labels, inputs.real.rate)
    labels = next(iter(inputs.labels.values()), None)
    if inputs.generated is not None and labels is not None:
        sets["generated"] = (inputs.generated.audio, labels, inputs.generated.rate)
    return points.spectra(sets, seed) if sets else None
