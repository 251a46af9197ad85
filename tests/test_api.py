"""The public API is a list; our own plugins and examples import nothing else; what has moved warns."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from canarygan_core import audio, clips
from canarygan_core.plugins.api import read_api

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path
    for pattern in ("plugins/*/src/**/*.py", "examples/**/*.py", "canarygan_core/plugins/templates/*.py")
    for path in ROOT.glob(pattern)
)


def kernel_modules(path):
    """The kernel's modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] == "canarygan_core")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "canarygan_core":
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                place = ROOT.joinpath(*full.split("."))
                yield full if place.with_suffix(".py").exists() or (place / "__init__.py").exists() else node.module


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_plugins_examples_and_templates_import_nothing_but_the_public_api(path):
    private = set(kernel_modules(path)) - set(read_api()["public"])
    assert not private, f"make public in canarygan_core/plugins/api.toml, or do without: {sorted(private)}"


def test_no_plugin_imports_a_private_name_of_the_kernel():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("canarygan_core"):
                assert not [alias.name for alias in node.names if alias.name.startswith("_")], path


@pytest.mark.parametrize("name", read_api()["public"])
def test_public_modules_are_there_and_documented(name):
    if name.endswith((".fixtures", ".testing")):
        pytest.importorskip("pytest")
    assert importlib.import_module(name).__doc__


def test_the_documents_list_the_public_modules_and_those_that_moved():
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    public, moved = page.partition("## What is public")[2].partition("## When something fails")[0].split("Some modules")
    assert re.findall(r"^\| `([\w.]+)` \|", public, re.MULTILINE) == read_api()["public"]
    assert re.findall(r"^\| `canarygan_core\.(\w+)` \|", moved, re.MULTILINE) == sorted(read_api()["moved"])


@pytest.mark.parametrize(
    ("old", "name", "new"),
    [
        ("archives", "read", "canarygan_core.audio.archives"),
        ("files", "replacing", "canarygan_core.runs.files"),
        ("files", "write_text", "canarygan_core.runs.files"),
        ("fixtures", "toy_folder", "canarygan_core.testing.fixtures"),
        ("keeper", "Keeper", "canarygan_core.lightning.checkpointing"),
        ("manifest", "Manifest", "canarygan_core.runs"),
        ("training", "Training", "canarygan_core.lightning.training"),
        ("training", "fit", "canarygan_core.lightning.training"),
    ],
)
def test_modules_that_were_public_are_imported_under_their_old_names_with_a_warning(old, name, new):
    sys.modules.pop(f"canarygan_core.{old}", None)
    with pytest.warns(DeprecationWarning, match=rf"canarygan_core\.{old} is now {new}. The old name goes in 0\.3"):
        module = importlib.import_module(f"canarygan_core.{old}")
    value = getattr(module, name)
    home = importlib.import_module(value.__module__) if hasattr(value, "__module__") else None
    assert home is None or value in vars(home).values()
    assert importlib.import_module(new).__spec__.name == new


def test_every_old_name_leads_somewhere():
    for old in read_api()["moved"]:
        sys.modules.pop(f"canarygan_core.{old}", None)
        with pytest.warns(DeprecationWarning, match="The old name goes"):
            importlib.import_module(f"canarygan_core.{old}")


def test_functions_that_were_public_keep_their_old_names():
    with pytest.warns(DeprecationWarning, match="concatenated is now concatenate"):
        old = clips.concatenated
    assert old is clips.concatenate
    with pytest.warns(DeprecationWarning, match="resampled is now resample"):
        old = audio.resampled
    assert old is audio.resample


def test_nothing_of_the_kernel_uses_an_old_name():
    source = "import warnings; warnings.simplefilter('error', DeprecationWarning); import canarygan_core.cli.main"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for old in read_api()["moved"]:
        for path in [*ROOT.glob("canarygan_core/**/*.py"), *SOURCES]:
            assert f"canarygan_core.{old} import" not in path.read_text(encoding="utf-8"), path


def test_the_kernel_names_no_plugin():
    """Nothing but the index, which is data, says which distributions there are."""
    names = sorted(path.name for path in (ROOT / "plugins").iterdir() if (path / "pyproject.toml").exists())
    for path in ROOT.glob("canarygan_core/**/*.py"):
        if "templates" in path.parts:  # what they say is for people
            continue
        text = path.read_text(encoding="utf-8")
        for name in names:
            assert name not in text, path
            assert name.replace("_", "-") not in text, path
