"""The documents say what is so: names are all there, links lead somewhere, commands run."""

import ast
import dataclasses
import importlib.util
import inspect
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from canarygan_core import components, hookspecs, latents, plugins, runs, training
from canarygan_core.components import KINDS, Component
from canarygan_core.datasets import synthesis
from canarygan_core.task import Request

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(
    page
    for pattern in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md", "plugins/*/README.md")
    for page in ROOT.glob(pattern)
)
SOURCES = sorted([*ROOT.glob("canarygan_core/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")])
QUICK_START = (
    "pip install -r requirements.txt && canarygan run train-gan --model wavegan --preset tiny",
    "pip install nox && nox -s tests",
)
UNITS = {"pitch": "Hz", "duration": "ms", "rate": "Hz", "tilt": "dB", "band": "Hz"}

needs_all = pytest.mark.skipif(
    importlib.util.find_spec("canarygan_wavegan") is None, reason="needs canarygan-wavegan, for the whole command line"
)


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


# What --help says


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

    assert words(text("cli.md")) == words(generator().page()), "Run: python docs/generate_cli.py"


@needs_all
def test_every_task_and_every_option_of_its_components_is_on_the_cli_page() -> None:
    page = text("cli.md")
    registry = plugins.installed()
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
        told = " ".join(f"`--{key} {value}`" for key, value in values.items())
        assert f"| `{name}` | {told} |" in text("training.md")
        row = next(line for line in readme.splitlines() if line.startswith(f"| `{name}` |"))
        heading = next(line for line in readme.splitlines() if line.startswith("| preset |"))
        cells = zip(heading.split("|")[2:-2], row.split("|")[2:-2], strict=True)
        shown = {flag.strip(" `-"): value.strip() for flag, value in cells}
        assert shown == {key: str(values[key]) for key in shown}


# What a plugin author needs


def hooks() -> dict[str, Any]:
    return {name: value for name, value in vars(hookspecs).items() if name.startswith("register_")}


@pytest.mark.parametrize("name", hooks())
def test_hook_is_documented_with_its_signature(name: str) -> None:
    returned = inspect.signature(hooks()[name]).return_annotation
    assert f"`{name}() -> {returned}`" in text("plugins.md")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_kind_is_documented_with_its_abstract_methods(kind: type[Component]) -> None:
    page = plain(text("plugins.md"))
    assert f"class {kind.__name__}(Component):" in page
    start = page.index(f"class {kind.__name__}(Component):")
    block = re.split(r"\n(?:class |```)", page[start:])[0]
    described = {method for method in kind.__abstractmethods__ if signature(kind, method) in block}
    assert described == kind.__abstractmethods__


@pytest.mark.parametrize("name", ["Generator", "FittedDecoder", "FittedProjector"])
def test_what_a_kind_gives_is_documented(name: str) -> None:
    page = plain(text("plugins.md"))
    start = page.index(f"class {name}(Protocol):")
    block = re.split(r"\n(?:class |```)", page[start:])[0]
    for member in vars(getattr(components, name)):
        if not member.startswith("_"):
            assert re.search(rf"\b{member}\b", block), member


def signature(kind: type[Component], method: str) -> str:
    """A method as it stands in the source, quotes left out."""
    tree = ast.parse(inspect.getsource(components))
    owner = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == kind.__name__)
    found = next(node for node in owner.body if isinstance(node, ast.FunctionDef) and node.name == method)
    assert found.returns is not None
    return plain(f"def {method}({ast.unparse(found.args)}) -> {ast.unparse(found.returns)}").replace("=", " = ")


def plain(source: str) -> str:
    return re.sub(r"""["']""", "", source)


def test_minimal_plugin_works(tmp_path: Path) -> None:
    """The plugin of plugins.md is laid out as installed, found, run and held to the contract that it tests."""
    pytest.importorskip("canarygan_core.testing")
    project, module, test = (block.content for block in list(blocks(DOCS / "plugins.md"))[1:4])
    declared = tomllib.loads(project)["project"]
    site = tmp_path / "site"
    (site / "canarygan_tones-0.1.0.dist-info").mkdir(parents=True)
    points = "".join(f"{name} = {target}\n" for name, target in declared["entry-points"]["canarygan"].items())
    metadata = f"Metadata-Version: 2.1\nName: {declared['name']}\nVersion: {declared['version']}\n"
    (site / "canarygan_tones-0.1.0.dist-info" / "entry_points.txt").write_text(f"[canarygan]\n{points}")
    (site / "canarygan_tones-0.1.0.dist-info" / "METADATA").write_text(metadata)
    (site / "canarygan_tones.py").write_text(module)
    env = {**environment(tmp_path), "PYTHONPATH": str(site), "CANARYGAN_PLUGINS": "tones"}
    written = run("canarygan write-dataset --dataset tones --lowest 500 -s tones && canarygan plugins", tmp_path, env)
    assert "Wrote 8 clips of 2 classes" in written
    assert "tones  (canarygan-tones 0.1.0)\n  datasets     tones" in written
    (tmp_path / "contract.py").write_text(test + "\n\ntest_contract()\n")
    run(f'"{sys.executable}" contract.py', tmp_path, env)


# What is on disk


def test_every_key_of_a_manifest_is_documented(tmp_path: Path) -> None:
    with runs.opened(tmp_path, Request("train-gan")) as run:
        keys = set(run.manifest.record)
    with runs.opened(tmp_path, Request("train-gan"), resume=True) as run:
        keys |= set(run.manifest.record)
    for source in SOURCES:
        keys |= added_facts(ast.parse(source.read_text(encoding="utf-8")))
    assert {"history", "dataset", "seed", "result"} <= keys, "this test no longer finds what is added"
    missing = {key for key in keys if f"`{key}`" not in section("formats.md", "manifest.json")}
    assert not missing


def added_facts(tree: ast.AST) -> set[str]:
    """Keys given to `manifest.add` and `Manifest.begin`, and those of a dictionary named `facts`."""
    keys: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value).lower()
            if owner.endswith("manifest") and node.func.attr in ("add", "begin"):
                keys |= {word.arg for word in node.keywords if word.arg}
        elif (
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == "facts"
            and isinstance(node.value, ast.Dict)
        ):
            keys |= {
                key.value for key in node.value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
            }
    return keys


def test_every_member_of_an_archive_is_documented() -> None:
    source = (ROOT / "canarygan_core" / "tasks" / "generate.py").read_text(encoding="utf-8")
    members = set(re.findall(r"archive\.(?:add|stream)\(\"(\w+)\"", source))
    assert {"x", "z"} <= members
    assert not {member for member in members if f"`{member}`" not in section("formats.md", "Generation archive")}


def test_every_column_of_the_log_is_documented() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("plugins/*/src/**/module.py"))
    columns = set(re.findall(r"\"((?:critic|generator|speed)/\w+)\":", sources))
    assert columns
    assert not {column for column in columns if f"`{column}`" not in section("formats.md", "metrics.csv")}


def test_every_distribution_and_kind_of_problem_is_documented() -> None:
    table = section("formats.md", "Latents")
    for name, values in latents.DISTRIBUTIONS.items():
        row = next(line for line in table.splitlines() if f"`{name}`" in line)
        assert all(f"`{parameter}` {value:g}" in row for parameter, value in values.items()), name
    raised = re.findall(
        r"(?:_Refused|Problem)\((?:str\(\w+\), )?\"([a-z-]+)\"", sources_of("audio.py", "datasets/survey.py")
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


def section(page: str, heading: str) -> str:
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text(page), re.DOTALL | re.MULTILINE)
    assert found, f"{page} has no section {heading}"
    return found[1]


# What stands in the pages


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(
        r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    ):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in headings}, (
                target
            )


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_pages_are_ascii(page: Path) -> None:
    assert page.read_text(encoding="utf-8").isascii()


def test_quick_start_is_two_commands_and_ci_runs_the_second() -> None:
    shown = [block.content.strip() for block in blocks(ROOT / "README.md") if block.language == "bash"]
    assert tuple(shown[:2]) == QUICK_START
    assert QUICK_START[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Block:
    """A fenced block, and why it is not run where it is not."""

    language: str
    content: str
    excuse: str


def blocks(page: Path) -> Iterator[Block]:
    fence = re.compile(
        r"(?:<!-- not run: (?P<excuse>[^>]+) -->\n)?```(?P<language>\w*)\n(?P<content>.*?)```", re.DOTALL
    )
    for found in fence.finditer(page.read_text(encoding="utf-8")):
        yield Block(found["language"], found["content"], found["excuse"] or "")


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_blocks_are_run_or_say_why_not(page: Path, tmp_path: Path) -> None:
    env = environment(tmp_path)
    for block in blocks(page):
        assert block.language in ("bash", "console", "python", "toml", "text"), (
            f"a block of {page.name} has no language"
        )
        if block.language == "python":
            ast.parse(block.content)
        elif block.language == "toml":
            tomllib.loads(block.content)
        elif block.language == "bash" and not block.excuse:
            run(block.content, tmp_path, env)
        elif block.language == "console" and not block.excuse:
            converse(block.content, tmp_path, env)


def converse(content: str, folder: Path, env: dict[str, str]) -> None:
    """Run what follows `$ `, and find the lines below it, in order, in what it prints; `...` stands for anything."""
    for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        pattern = re.escape(expected.strip()).replace(r"\.\.\.", ".*")
        printed = run(command, folder, env)
        assert re.search(pattern, printed), f"{command} prints\n{printed}"


def environment(folder: Path) -> dict[str, str]:
    """The commands of this Python first on the path, and a cache of its own."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "CANARYGAN_CACHE": str(folder / "cache"), "NO_COLOR": "1"}


def run(command: str, folder: Path, env: dict[str, str]) -> str:
    done = subprocess.run(["bash", "-euc", command], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout
