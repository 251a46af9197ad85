"""docs/formats.md tells every key of every file: of those that pipeline.md leaves, and of those that code may add."""

import ast
import importlib
import importlib.util
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from documents import DOCS, ROOT, perform, section, text
from report_pages import shown

from canarygan_core import plugins, runs
from canarygan_core.audio import archives
from canarygan_core.datasets import cache, synthesis
from canarygan_core.fitted import decoders, latents, projectors
from canarygan_core.runs import Request, manifest
from canarygan_core.runs.documents import Format

SOURCES = sorted([*ROOT.glob("canarygan_core/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")])
UNITS = {"pitch": "Hz", "duration": "ms", "rate": "Hz", "tilt": "dB", "band": "Hz"}

# What pipeline.md leaves

FREE = frozenset(
    {
        *(
            "options",
            "files",
            "versions",
            "inputs",
            "outputs",
            "recall",
            "scores",
            "real",
            "noise",
            "shuffled",
            "origin",
        ),
        *("units", "better"),  # of scores, by their names
        "filter",  # told once, of manifests
    }
)
"""Keys whose values have keys of their own: options, labels, or what names itself."""


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which pipeline.md was run, which is also what tests its commands."""
    for name in ("decoders", "metrics", "wavegan"):
        pytest.importorskip(f"canarygan_{name}")
    folder = tmp_path_factory.mktemp("pipeline")
    perform(DOCS / "pipeline.md", folder)
    return folder


def nothing(path: Path) -> Iterable[str]:
    return ()


def columns(path: Path) -> Iterable[str]:
    return path.read_text(encoding="utf-8").partition("\n")[0].split(",")


def members(path: Path) -> Iterable[str]:
    with np.load(path) as archive:
        return list(archive.files)


def keys(value: Any) -> Iterator[str]:
    """The keys of a value to the bottom, but for names of files."""
    if isinstance(value, Mapping):
        for key, inside in value.items():
            if re.fullmatch(r"[\w-]+", key):
                yield key
            if key not in FREE:
                yield from keys(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from keys(inside)


def of_json(path: Path) -> Iterable[str]:
    return keys(json.loads(path.read_text(encoding="utf-8")))


def of_yaml(path: Path) -> Iterable[str]:
    import yaml

    return keys(yaml.safe_load(path.read_text(encoding="utf-8")))


def of_checkpoint(path: Path) -> Iterable[str]:
    import torch

    held = torch.load(path, weights_only=True, map_location="cpu")
    return [*held, *(key for part in ("wavegan", "inception", "progress") for key in keys(held.get(part, {})))]


def of_page(path: Path) -> Iterable[str]:
    return list(shown(path))


KNOWN: dict[str, tuple[str, Callable[[Path], Iterable[str]]]] = {
    r".*/manifest\.json|.*\.manifest\.json": ("manifest.json", of_json),
    r".*/logs/csv/.*/metrics\.csv": ("metrics.csv", columns),
    r".*\.ckpt": ("Checkpoints", of_checkpoint),
    r".*/all/losses\.json": ("Checkpoints", of_json),
    r"latents/latent_z-dim_3\.npy": ("Latents", nothing),
    r"generated/[^/]*(?<!umap)\.npz": ("Generation archive", members),
    r".*/metrics-\w+\.npz|decoders/summary\.json": (
        "Accuracy",
        lambda path: members(path) if path.suffix == ".npz" else of_json(path),
    ),
    r"decoders/\w+/decoder\.json|decoders/\w+/component\.json": ("Decoder folder", of_json),
    r"decoders/\w+/state\.npz": ("Decoder folder", lambda path: set(members(path)) & {"heard"}),
    r"dataset/decoder-dataset\.npz": ("Preprocessed set", members),
    r".*/decoder-dataset\.config\.yml": ("Preprocessed set", of_yaml),
    r"labels/decoded\.csv": ("Labels", columns),
    r"inception-scores/is_scores-\w+\.yml": ("Inception scores", of_yaml),
    r"scores/scores\.json": ("scores.json", of_json),
    r".*/(?:projector|component)\.json": ("Maps", of_json),
    r".*/(?:state|coordinates|[^/]*\.umap)\.npz": ("Maps", members),
    r"reports/\w+\.html": ("Report", of_page),
    r".*\.png|.*\.wav|.*/tensorboard/.*": ("Run directory", nothing),
}
"""By what their paths look like, where formats.md tells of files, and what reads their keys; the first that fits."""


def test_every_file_and_key_that_the_pipeline_leaves_is_documented(left: Path) -> None:
    registry = plugins.get_registry()
    names = {*registry.names("metric"), *registry.names("decoder")}
    seen, missing = set(), set()
    for path in sorted(left.rglob("*")):
        name = path.relative_to(left).as_posix()
        if path.is_dir() or name.startswith((".", "cache/", "examples/", "finch/")) or path.name == ".lock":
            continue
        kind = next((pattern for pattern in KNOWN if re.fullmatch(pattern, name)), None)
        assert kind is not None, f"docs/formats.md and this test know nothing of {name}"
        seen.add(kind)
        heading, read = KNOWN[kind]
        told = section("formats.md", heading) + section("formats.md", "Accuracy")  # which several files hold
        for key in set(read(path)) - names:
            spelt = re.sub(r"_(?:" + "|".join(names) + r")$", "_NAME", key)
            spelt = re.sub(r"^(?:" + "|".join(names) + r")_", "NAME_", spelt)
            spelt = re.sub(r"^(?:train|test)(?:_[\w-]+?)?_(?=features|labels|sources|groups)", "SIDE_", spelt)
            if f"`{spelt}`" not in told:
                missing.add((heading, spelt))
    assert not missing, sorted(missing)
    assert seen == KNOWN.keys(), "the pipeline no longer leaves all kinds of file"


# What code may write


def test_every_key_of_a_manifest_is_documented(tmp_path: Path) -> None:
    with runs.open_run(tmp_path, Request("train-gan")) as run:
        found = set(run.manifest.record)
    with runs.open_run(tmp_path, Request("train-gan"), resume=True) as run:
        found |= set(run.manifest.record)
    for source in SOURCES:
        written = source.read_text(encoding="utf-8")
        found |= added(ast.parse(written), facts="runs.open_run(" in written)
    assert {"history", "dataset", "seed", "result", "test"} <= found, "this test no longer finds what is added"
    missing = {key for key in found if f"`{key}`" not in section("formats.md", "manifest.json")}
    assert not missing


def added(tree: ast.AST, *, facts: bool) -> set[str]:
    """Keys given to `manifest.add` and `Manifest.begin`, and those of a dictionary named `facts`, which a run takes."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value).lower()
            if owner.endswith("manifest") and node.func.attr in ("add", "begin"):
                found |= {word.arg for word in node.keywords if word.arg} - {"absent"}
        elif facts and isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "facts":
            assert isinstance(node.value, ast.Dict)
            found |= {str(key.value) for key in node.value.keys if isinstance(key, ast.Constant)}
    return found


def test_every_member_of_an_archive_is_documented() -> None:
    source = (ROOT / "canarygan_core" / "tasks" / "generate.py").read_text(encoding="utf-8")
    found = {re.sub(r"\{.*\}", "NAME", name) for name in re.findall(r"archive\.(?:add|stream)\(f?\"([^\"]+)\"", source)}
    assert {"x", "z", "y_NAME"} <= found
    assert not {member for member in found if f"`{member}`" not in section("formats.md", "Generation archive")}


def test_every_column_of_the_log_is_documented() -> None:
    modules = [*ROOT.glob("plugins/*/src/**/module.py"), *ROOT.glob("plugins/*/src/**/learning.py")]
    sources = "".join(path.read_text(encoding="utf-8") for path in modules)
    found = set(re.findall(r"\"((?:critic|generator|speed|train|validation)/\w+)\":", sources))
    assert {"critic/loss", "train/loss"} <= found
    assert not {column for column in found if f"`{column}`" not in section("formats.md", "metrics.csv")}


def test_every_distribution_and_kind_of_problem_is_documented() -> None:
    table = section("formats.md", "Latents")
    for name, values in latents.DISTRIBUTIONS.items():
        row = next(line for line in table.splitlines() if f"`{name}`" in line)
        assert all(f"`{parameter}` {value:g}" in row for parameter, value in values.items()), name
    raised = re.findall(
        r"(?:Refusal|Problem|require)\([^\"\n]*\"([a-z-]+)\"",
        sources_of("audio/soundfiles.py", "audio/containers.py", "audio/opening.py", "datasets/survey.py"),
    )
    assert raised
    assert not {kind for kind in raised if kind not in text("data.md")}


def sources_of(*names: str) -> str:
    return "".join((ROOT / "canarygan_core" / name).read_text(encoding="utf-8") for name in names)


@pytest.mark.parametrize("kind", synthesis.SYLLABLES)
def test_factors_of_a_synthetic_type_are_documented(kind: str) -> None:
    syllable, told = synthesis.SYLLABLES[kind], []
    for factor in syllable.factors:
        low, high = getattr(syllable, factor)
        told.append(f"{factor} {low:g} to {high:g} {UNITS.get(factor, 'semitones')}")
    assert f"| {kind} | {'; '.join(told)} |" in text("data.md")


# What formats declare


def list_formats() -> Iterator[tuple[str, Format]]:
    """Where formats.md tells of a format, and the format."""
    yield "manifest.json", manifest.FORMAT
    yield "manifest.json", manifest.ORIGIN
    yield "manifest.json", manifest.HELD_OUT
    yield "Decoder folder", decoders.FORMAT.format
    yield "Maps", projectors.FORMAT.format
    yield "Dataset cache", cache.FORMAT
    for place, module, name in (
        ("Checkpoints", "canarygan_wavegan.checkpoints", "RECORD"),
        ("Checkpoints", "canarygan_wavegan.checkpoints", "SHAPE"),
        ("Checkpoints", "canarygan_metrics.classifier.classifier", "RECORD"),
        ("Checkpoints", "canarygan_metrics.classifier.classifier", "SPECTROGRAM"),
        ("Decoder folder", "canarygan_decoders.feature_decoder", "FORMAT"),
        ("Preprocessed set", "canarygan_decoders.tasks.search", "TRIAL"),
        ("Inception scores", "canarygan_metrics.inception.record", "FORMAT"),
        ("Inception scores", "canarygan_metrics.inception.record", "SCORE"),
        ("Inception scores", "canarygan_metrics.inception.record", "CLASSIFIER"),
        ("scores.json", "canarygan_report.records", "SCORES"),
        ("Maps", "canarygan_metrics.umap.fitted", "FORMAT"),
    ):
        if importlib.util.find_spec(module.partition(".")[0]):
            yield place, getattr(importlib.import_module(module), name)


def test_every_declared_key_is_documented() -> None:
    told = {heading: section("formats.md", heading) for heading, _ in list_formats()}
    missing = [(heading, key) for heading, one in list_formats() for key in one.keys if f"`{key}`" not in told[heading]]
    assert not missing


def list_first(heading: str, header: str) -> set[str]:
    """The keys in the first column of the table that begins so, under a heading."""
    rows = section("formats.md", heading).partition(f"| {header} |")[2].partition("\n\n")[0].splitlines()
    return {key for row in rows[2:] for key in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_every_documented_key_is_declared() -> None:
    assert list_first("manifest.json", "key") == manifest.FORMAT.keys
    assert list_first("Decoder folder", "key") == decoders.FORMAT.format.keys
    assert list_first("Maps", "key") == projectors.FORMAT.format.keys
    spelt = {re.sub(r"\*$", "NAME", name).rstrip("?") for name in archives.GENERATION}
    assert list_first("Generation archive", "member") == spelt
