"""`plugins new`: what it writes is installed, held to the contract and used as it stands."""

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from canarygan_core.components import KINDS
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins import load_plugins, scaffold

ROOT = Path(__file__).parents[1]

NAMES = [*(kind.kind for kind in KINDS), "task"]


@pytest.fixture
def packages(tmp_path):
    """A package of each kind, by kind; the component of one is named after another's class."""
    made = {}
    for kind in NAMES:
        answer = scaffold.write_plugin(f"my-own-{kind}", kind, tmp_path / "packages", load_plugins([]))
        made[kind] = tmp_path / "packages" / f"canarygan-my-own-{kind}"
        assert answer.data["path"] == str(made[kind])
        assert sorted(path.name for path in made[kind].iterdir()) == answer.data["files"]
        assert all(command in answer.text for command in answer.data["next"])
    return made


@pytest.fixture
def install(site):
    """A function that lays a package out as it would be installed."""

    def lay(package):
        project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
        ((point, module),) = project["entry-points"]["canarygan"].items()
        site.install(point, (package / f"{module}.py").read_text(), distribution=project["name"], module=module)
        info = next(site.folder.glob(f"{project['name'].replace('-', '_')}-*.dist-info"))
        with open(info / "METADATA", "a") as stream:
            stream.writelines(f"Requires-Dist: {requirement}\n" for requirement in project["dependencies"])
        return site

    return lay


SYNTHETIC = ("--dataset", "synthetic", "--per-class", "2", "--syllables", "4")
USES = {
    "metric": ["score", "sounds", "--metric", "my-own-metric", *SYNTHETIC],
    "decoder": ["plugins", "show", "my-own-decoder"],
    "model": ["train-gan", "--model", "my-own-model", *SYNTHETIC],
    "dataset": ["write-dataset", "--dataset", "my-own-dataset", "-s", "sounds"],
    "task": ["my-own-task", *SYNTHETIC, "-s", "made", "-f", "-60"],
    "projector": ["project", "--projector", "my-own-projector", *SYNTHETIC],
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_new_plugin_is_found_keeps_the_contract_and_works(packages, install, kind):
    site = install(packages[kind])
    listed = json.loads(site.run("plugins", "--json").stdout)["plugins"][-1]
    assert (listed["failure"], listed["offers"]) == ("", {kind: [f"my-own-{kind}"]})
    assert listed["requires"] == "<0.3,>=0.2"
    tested = site.run(str(packages[kind]), program=("-m", "pytest", "-q", "-p", "no:cacheprovider"))
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert f"{1 + (kind == 'task')} passed" in tested.stdout
    if kind == "metric":
        assert site.run("write-dataset", "--per-class", "2", "--syllables", "2", "-s", "sounds").returncode == 0
    used = site.run(*USES[kind])
    assert used.returncode == 0, used.stderr
    if kind == "model":
        made = site.run("generate", "-x", "runs", "-n", "4", "--batch-size", "4", "--json")
        assert json.loads(made.stdout)["shape"][0] == 4, made.stderr


def test_a_new_plugin_is_clean(packages):
    folders = [str(package) for package in packages.values()]
    files = [str(path) for package in packages.values() for path in package.glob("*.py")]
    path = os.pathsep.join(map(str, (ROOT, *ROOT.glob("plugins/*/src"))))
    for tool, words in {
        "ruff": ["format", "--check", "--no-cache", *folders],
        "mypy": [f"--cache-dir={ROOT / '.mypy_cache'}", "--follow-imports=silent", *files],
    }.items():
        if importlib.util.find_spec(tool) is None:
            pytest.skip(f"needs {tool}")
        command = [sys.executable, "-m", tool, *words]
        place = {"cwd": packages["decoder"], "env": {**os.environ, "MYPYPATH": path}}
        done = subprocess.run(command, capture_output=True, text=True, **place, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--extend-select", "I,UP,B", *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_nothing_of_the_template_is_left(packages):
    for kind, package in packages.items():
        for path in package.iterdir():
            text = path.read_text()
            assert not any(word in text for word in ("laceholder", "KIND", "REQUIRED", "COMMANDS")), path
        named = f'Task("my-own-{kind}", ' if kind == "task" else f'name: ClassVar[str] = "my-own-{kind}"'
        assert named in (package / f"canarygan_my_own_{kind}.py").read_text()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Loud Ness", r"Did you mean loud-ness\?"),
        ("my_metric", r"Did you mean my-metric\?"),
        ("2nd", r"starts with a letter"),
        ("", "lower-case letters"),
        ("../up", r"Did you mean up\?"),
        ("a" * 33, "at most 32"),
        ("canarygan", "There is a plugin named 'canarygan' already"),
        ("core", "There is a plugin named 'core' already"),
        ("decoders", "There is a plugin named 'decoders' already"),
    ],
)
def test_names_that_no_plugin_can_have_are_refused(tmp_path, name, told):
    with pytest.raises(UsageError, match=told):
        scaffold.write_plugin(name, "metric", tmp_path, load_plugins([]))
    assert list(tmp_path.iterdir()) == []


def test_names_and_folders_that_are_taken_are_refused(tmp_path):
    with pytest.raises(UsageError, match="canarygan offers a dataset named 'synthetic' already"):
        scaffold.write_plugin("synthetic", "dataset", tmp_path, load_plugins([]))
    scaffold.write_plugin("synthetic", "metric", tmp_path, load_plugins([]))
    before = (tmp_path / "canarygan-synthetic" / "README.md").read_text()
    with pytest.raises(CanaryganError, match="canarygan-synthetic is there already"):
        scaffold.write_plugin("synthetic", "model", tmp_path, load_plugins([]))
    assert (tmp_path / "canarygan-synthetic" / "README.md").read_text() == before
    (tmp_path / "file").write_text("")
    with pytest.raises(CanaryganError, match="Cannot write"):
        scaffold.write_plugin("mine", "model", tmp_path / "file", load_plugins([]))


def test_the_command_says_what_to_type_next(site):
    done = site.run("plugins", "new", "mine", "--kind", "metric")
    assert done.returncode == 0, done.stderr
    assert "pip install -e ./canarygan-mine\n  pytest ./canarygan-mine\n  canarygan score --metric mine" in done.stdout
    again = site.run("plugins", "new", "mine", "--kind", "metric")
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
    assert site.run("plugins", "new", "mine", "--kind", "song").returncode == 2
