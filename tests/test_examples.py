"""The examples are packages that install, keep the contract, and are used by every task that takes their kind."""

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/pyproject.toml"))
NEEDS = {"canarygan-forest": "canarygan_decoders", "canarygan-vae": "lightning"}


@pytest.fixture
def lay_out(site):
    """A function that lays a package out as it would be installed; gives the names of its plugin and component."""

    def lay(package):
        needed = NEEDS.get(package.name)
        if needed is not None:
            pytest.importorskip(needed)
            site.names += [needed.removeprefix("canarygan_")] if needed.startswith("canarygan_") else []
        declared = tomllib.loads((package / "pyproject.toml").read_text())
        project = declared["project"]
        ((point, module),) = project["entry-points"]["canarygan"].items()
        info = site.folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir()
        required = "".join(f"Requires-Dist: {requirement}\n" for requirement in project["dependencies"])
        told = f"Summary: {project['description']}\nLicense-Expression: {project['license']}\n{required}"
        header = f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
        (info / "METADATA").write_text(header + told)
        (info / "entry_points.txt").write_text(f"[canarygan]\n{point} = {module}\n")
        if (package / "src").is_dir():
            shutil.copytree(package / "src" / module, site.folder / module)
        else:
            shutil.copy(package / f"{module}.py", site.folder)
        site.names.append(point)
        return point

    return lay


def test_there_is_an_example_of_a_metric_a_decoder_a_model_and_a_task(site, lay_out):
    points = [lay_out(package) for package in EXAMPLES]
    plugins = {one["name"]: one for one in json.loads(site.run("plugins", "--json").stdout)["plugins"]}
    assert all(not plugins[point]["failure"] for point in points)
    offered = {kind for point in points for kind in plugins[point]["offers"]}
    assert offered == {"metric", "decoder", "model", "task"}
    assert all(plugins[point]["requires"] for point in points)


@pytest.mark.parametrize("package", EXAMPLES, ids=lambda package: package.name)
def test_an_example_passes_its_own_tests(site, lay_out, package, tmp_path):
    lay_out(package)
    copied = shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(copied / "src", ignore_errors=True)
    done = site.run(str(copied), program=("-m", "pytest", "-q", "-p", "no:cacheprovider"), OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", EXAMPLES, ids=lambda package: package.name)
def test_an_example_tells_what_it_is(site, lay_out, package):
    point = lay_out(package)
    plugin, component = json.loads(site.run("plugins", "show", point, "--json").stdout)
    assert (plugin["kind"], plugin["distribution"], plugin["licence"]) == ("plugin", package.name, "MIT")
    assert plugin["summary"]
    assert component["name"] == point
    assert component["options"]
    assert all(option["help"] and option["type"] and not option["required"] for option in component["options"])


def test_components_of_metric_and_decoder_are_short():
    for name, most in {"spectral_gap": 30, "forest": 40, "vae": 65}.items():
        package = ROOT / "examples" / f"canarygan-{name.replace('_', '-')}"
        source = (package / f"canarygan_{name}.py").read_text()
        classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
        for node in classes:
            assert node.end_lineno - node.decorator_list[0].lineno + 1 <= most, node.name


def test_the_forest_is_trained_and_labels_like_any_decoder(site, lay_out):
    lay_out(ROOT / "examples" / "canarygan-forest")
    site.run("write-dataset", "--syllables", "2", "--per-class", "6", "-s", "data")
    few = ["--forest.trees", "5", "--augment", "0"]
    trained = site.run("train-decoders", "-m", "forest", "-d", "data", "-s", "decoders", *few, OMP_NUM_THREADS="1")
    assert trained.returncode == 0, trained.stderr
    told = site.run("decode", "-y", "decoders", "data", "-s", "labels", "--json")
    assert told.returncode == 0, told.stderr
    assert (site.folder / "labels" / "decoded.csv").is_file()


def test_the_sounds_of_the_model_are_scored_by_the_metric(site, lay_out):
    lay_out(ROOT / "examples" / "canarygan-pca")
    lay_out(ROOT / "examples" / "canarygan-spectral-gap")
    data = ["--dataset", "synthetic", "--syllables", "3", "--per-class", "8"]
    trained = site.run("train-gan", "--model", "pca", *data, "-s", "runs")
    assert trained.returncode == 0, trained.stderr
    done = site.run("score", "--metric", "spectral-gap", "-x", "runs", "-n", "20", *data, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["metrics"]["spectral-gap"]
    assert 0 < told["scores"]["gap"] < told["context"]["noise"]["gap"]


def test_examples_are_typed_and_clean_outside_of_the_repository(tmp_path):
    pytest.importorskip("mypy")
    ruff = importlib.util.find_spec("ruff") is not None
    copies = [shutil.copytree(package, tmp_path / package.name) for package in EXAMPLES]
    sources = {one: [str(path) for path in one.rglob("*.py") if "tests" not in path.parts] for one in copies}
    for package, files in sources.items():
        if package.name in NEEDS and importlib.util.find_spec(NEEDS[package.name]) is None:
            continue
        checked(["-m", "mypy", f"--cache-dir={ROOT / '.mypy_cache'}", *TYPES, *files], ENVIRONMENT, package)
        if ruff:
            checked(["-m", "ruff", "check", "--no-cache", str(package)], dict(os.environ))
            checked(["-m", "ruff", "format", "--check", "--no-cache", str(package)], dict(os.environ))


TYPES = ("--strict", "--follow-imports=silent")
"""As where the kernel is installed, and its own files are not checked."""

ENVIRONMENT = {**os.environ, "MYPYPATH": os.pathsep.join(map(str, (ROOT, *ROOT.glob("plugins/*/src"), "src")))}


def checked(words, env, folder=ROOT):
    done = subprocess.run([sys.executable, *words], env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
