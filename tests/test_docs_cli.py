"""docs/cli.md is what --help says, and presets are told as they are."""

import dataclasses
import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from documents import DOCS, PAGES, ROOT, blocks, ids, text

from canarygan_core import plugins
from canarygan_core.cli.binding import Command
from canarygan_core.cli.main import SWITCHES
from canarygan_core.lightning import training

needs_all = pytest.mark.skipif(
    any(importlib.util.find_spec(f"canarygan_{name}") is None for name in ("decoders", "metrics", "wavegan")),
    reason="needs all plugins of this repository, for the whole command line",
)


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_cli", DOCS / "generate_cli.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@needs_all
def test_cli_page_is_what_help_says() -> None:
    def words(page: str) -> list[str]:  # how a release of the command-line library draws its boxes does not matter
        return [word for word in page.split() if word.strip("|+-")]

    assert words(text("cli.md")) == words(generator().page()), "Run: nox -s cli_page"


@needs_all
def test_every_task_and_every_option_of_its_components_is_on_the_cli_page() -> None:
    page = text("cli.md")
    registry = plugins.get_registry()
    house = {"canarygan", *generator().plugins()}
    for plugin in registry.plugins:
        for kind, names in plugin.offers.items() if plugin.name in house else []:
            for name in names:
                found = registry.get(kind, name)
                if kind == "task":
                    assert f"## canarygan {name}\n" in page, name
                else:
                    listed = re.findall(rf"--(?:{name}\.)?([\w-]+)", page)  # --esn.units where several may be chosen
                    assert options(found) <= {f"--{flag}" for flag in listed}, name


def test_every_option_of_a_training_is_on_the_cli_page() -> None:
    assert options(training.Training) <= set(re.findall(r"--[\w-]+", text("cli.md")))


def options(cls: Any) -> set[str]:
    return {"--" + field.name.replace("_", "-") for field in dataclasses.fields(cls)}


def test_presets_are_those_of_the_code() -> None:
    component = pytest.importorskip("canarygan_wavegan.component")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, values in component.WaveGAN.presets.items():
        everything = {**values, **component.WaveGAN.preset_data.get(name, {})}
        told = " ".join(f"`--{key} {value}`" for key, value in everything.items())
        assert f"| `{name}` | {told} |" in text("training.md")
        row = next(line for line in readme.splitlines() if line.startswith(f"| `{name}` |"))
        heading = next(line for line in readme.splitlines() if line.startswith("| preset |"))
        cells = zip(heading.split("|")[2:-2], row.split("|")[2:-2], strict=True)
        shown = {flag.strip(" `-"): value.strip() for flag, value in cells}
        assert shown == {key: str(values[key]) for key in shown}


@needs_all
@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_that_are_not_run_are_such_as_the_command_line_takes(page: Path) -> None:
    registry = plugins.get_registry()
    for block in blocks(page):
        if block.language == "bash" and "not run" in block.marks:
            for line in re.sub(r"\$\w+", "1", block.content.replace("\\\n", " ")).splitlines():
                found = re.search(r"\bcanarygan (?:run )?([a-z].*?)(?: &)?$", line)
                words = shlex.split(found[1], comments=True) if found and not line.startswith("pip ") else []
                words = [word for word in words if word not in {"--resume", *SWITCHES}]  # --resume looks for the run
                task = registry.task(words) if words and words[0] != "plugins" else None
                if task is not None:
                    Command(task, words[len(task.name.split()) :], registry).bind(words)
                elif words:
                    assert words[0] in ("plugins", "completion"), line
