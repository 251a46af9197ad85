"""What can be checked, one session each: `nox --list`. `nox -s quick` while you edit, `nox -s tests` for every test.

quick       ruff, mypy, and the tests that are not slow
tests       every test, on two workers
steady      the plugins' tests under 20 other seeds
core_alone  the kernel from its wheel, without the heavy libraries
lowest      the tests that are not slow, with the oldest versions of all that the project requires
examples    the packages of examples/, installed by pip
plugin      the kernel and one plugin, with those that it requires: the plugin's tests
matrix      every test on each supported Python that is here
lint types  ruff; mypy, strict
fuzz        damaged files at every reader: 200,000 of records and archives, 20,000 of sounds; an hour
mutation    how many faults, made one at a time in runs, plugins and options, the tests notice
audit       known vulnerabilities of what the system installs, from the network
docs        the site; `cli_page` writes docs/cli.md
crash       every task killed at many moments: nothing half written, lost or left
demo bench  the README's first command; the benchmarks
build       wheels and source distributions

The whole system is installed once, in the environment of `tests`, because torch alone takes gigabytes. Sessions that
need it too use that environment and make it where it is missing; `lowest`, `plugin` and `matrix` have their own.
"""

import json
import os
import re
import sys
from pathlib import Path

import nox
from packaging.requirements import Requirement
from packaging.version import Version

nox.needs_version = ">=2025.5"
nox.options.sessions = ["tests"]
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"
nox.options.envdir = os.environ.get("NOX_ENVDIR", ".nox")

PYTHONS = ["3.11", "3.12", "3.13"]
PLUGINS = sorted(re.findall(r"^-e plugins/(\w+)", Path("requirements.txt").read_text(encoding="utf-8"), re.MULTILINE))
EXAMPLES = sorted(str(path.parent) for path in Path("examples").glob("*/pyproject.toml"))
HEAVY = ("torch", "torchaudio", "lightning", "sklearn", "umap", "reservoirpy", "matplotlib")
PROJECT = nox.project.load_toml("pyproject.toml")
KERNEL_REQUIRES = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["custom"]["dependencies"]
ALONE_IN_CLONE = {"CANARYGAN_KERNEL_ALONE": "1"}
WORKERS = ("-n", "2", "--dist", "worksteal")
NOT_SLOW = ("-m", "not slow")
ALONE = (
    *("cold_start", "cli", "plugins", "missing_plugins", "show_plugins", "scaffold", "testing", "sample", "generate"),
    *("generate_checkpoints", "decode", "trained_decoders", "score", "score_inputs", "projectors"),
)

DOCUMENTS = ("documents", "test_docs", "test_docs_cli", "test_docs_cluster", "test_docs_formats", "test_docs_plugins")
TYPED = (
    *("canarygan_core", "canarygan.py", "noxfile.py", "conftest.py", "docs/generate_cli.py", "docs/site_pages.py"),
    *(f"plugins/{name}/src" for name in PLUGINS),
    *(f"tests/{name}.py" for name in DOCUMENTS),
)

ABSENT = f"""
import importlib.util
found = [name for name in {HEAVY} if importlib.util.find_spec(name)]
if found:
    raise SystemExit(f"The kernel brought {{', '.join(found)}}.")
import importlib, pkgutil, canarygan_core
for module in pkgutil.walk_packages(canarygan_core.__path__, "canarygan_core."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


@nox.session(venv_backend="none")
def quick(session: nox.Session) -> None:
    """ruff, mypy, and the tests that are not slow: under 90 s on two cores."""
    for words in (("check", "."), ("format", "--check", ".")):
        in_system(session, "ruff", *words)
    in_system(session, "mypy", *TYPED)
    in_system(session, "pytest", *WORKERS, *NOT_SLOW, *session.posargs)


@nox.session(reuse_venv=True)
def tests(session: nox.Session) -> None:
    """Every test: kernel, plugins, docs."""
    install_system(session)
    session.run("pytest", *WORKERS, *session.posargs)


@nox.session(venv_backend="none")
def steady(session: nox.Session) -> None:
    """The plugins' tests that are not slow, under 20 other seeds. The kernel's tests draw from no global generator."""
    for seed in range(1, 21):
        in_system(session, "pytest", "-q", "plugins", *WORKERS, *NOT_SLOW, "--seed", str(seed), *session.posargs)


@nox.session(python=PYTHONS, default=False)
def matrix(session: nox.Session) -> None:
    """Every test on each supported Python that is here; an environment each."""
    install_system(session)
    session.run("pytest", *WORKERS, *session.posargs)


@nox.session
def core_alone(session: nox.Session) -> None:
    """The kernel as installed from its wheel, alone: all its modules, and the tests that may differ there.

    Those start processes, look for what is installed, or run the kernel's tasks. The others work with arrays and files,
    import nothing that is not there, and run in `tests`.
    """
    session.install(".", *group("test"), env=ALONE_IN_CLONE)
    session.run("python", "-c", ABSENT)
    session.run("pytest", *WORKERS, *(f"tests/test_{name}.py" for name in ALONE), *session.posargs)


@nox.session
def lowest(session: nox.Session) -> None:
    """The whole system with the oldest version of each thing that it requires: the tests that are not slow."""
    session.install("-r", "requirements.txt", *oldest(), *group("test", "references"))
    session.run("pytest", *WORKERS, *NOT_SLOW, *session.posargs)


@nox.session(venv_backend="none")
def examples(session: nox.Session) -> None:
    """The packages of examples/ installed as a stranger's, beside the whole system: their tests, and mypy on them."""
    target = Path(session.create_tmp()).resolve() / "installed"
    in_system(session, "pip", "install", "-q", "--no-deps", "--upgrade", "--target", str(target), *EXAMPLES)
    session.env.update(PYTHONPATH=str(target), MYPYPATH=str(target))
    for example in EXAMPLES:
        in_system(session, "pytest", example, *session.posargs)
        in_system(session, "mypy", "--strict", example)
    in_system(session, "canarygan", "plugins")


@nox.session
@nox.parametrize("name", PLUGINS, ids=PLUGINS)
def plugin(session: nox.Session, name: str) -> None:
    """The kernel and one plugin, with the plugins that it requires, which no index has: the plugin's tests."""
    folders = [f"./plugins/{one}" for one in list_required(name)]
    session.install(".", *folders, *group("test", "references"), env=ALONE_IN_CLONE)
    session.run("pytest", f"plugins/{name}/tests", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """ruff: rules and format."""
    session.install(*group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    """mypy, strict: kernel, plugins, and what stands around them."""
    in_system(session, "mypy", *TYPED, *session.posargs)


@nox.session(venv_backend="none")
def fuzz(session: nox.Session) -> None:
    """Damaged files at every reader, 10 s and a gigabyte each: nox -s fuzz -- --mutations 1000 --reader manifest."""
    session.env["PYTHONPATH"] = str(Path("tests").resolve())
    in_system(session, "fuzz.run", *session.posargs)
    if not session.posargs:
        in_system(session, "fuzz.sounds", "--inputs", "20000")


@nox.session(venv_backend="none")
def mutation(session: nox.Session) -> None:
    """How many faults the tests notice, made one at a time: all, or a part by nox -s mutation -- --sample 10."""
    session.env["PYTHONPATH"] = str(Path("tests").resolve())
    in_system(session, "pip", "install", "-q", *group("mutation"))
    in_system(session, "mutation.run", *session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Known vulnerabilities of what the whole system installs, by pip-audit, which asks the network."""
    install_system(session)
    session.install("pip-audit>=2.9")
    look_up_vulnerabilities(session)


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """The documents as a site, warnings as errors; kept where a folder is given: nox -s docs -- FOLDER."""
    site = session.posargs[0] if session.posargs else str(Path(session.create_tmp()) / "site")
    in_system(session, "mkdocs", "build", "--strict", "--site-dir", str(Path(site).resolve()))


@nox.session(venv_backend="none")
def cli_page(session: nox.Session) -> None:
    """Write docs/cli.md anew."""
    in_system(session, "docs/generate_cli.py", module=False)


@nox.session(venv_backend="none")
def crash(session: nox.Session) -> None:
    """Every task killed at 15 to 40 moments, before changes to files above all: nothing half written, lost or left."""
    in_system(session, "tests/crash/run.py", *(session.posargs or ("--kills", "40", "--seconds", "12")), module=False)


@nox.session(venv_backend="none")
def demo(session: nox.Session) -> None:
    """The first command of the README, in a temporary folder unless one is given: nox -s demo -- -s FOLDER."""
    words = session.posargs or ["-s", str(Path(session.create_tmp()) / "runs")]
    in_system(session, "canarygan", "run", "train-gan", "--model", "wavegan", "--preset", "tiny", *words)


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Figures to read, which pass or fail nothing: every stage, or one by nox -s bench -- NAME ARGUMENTS.

    All of them take most of an hour on two cores, which should have nothing else to do.
    """
    name, *words = session.posargs or ["stages"]
    for each in [name] if session.posargs else ["passes", "training", "classifier", "decoders", "growth", name]:
        in_system(session, f"benchmarks/{each}.py", *words, module=False)


@nox.session
def build(session: nox.Session) -> None:
    """Wheels and source distributions into dist/: metadata checked, wheels installed, plugins found."""
    session.install(*group("build"))
    dist = Path("dist")
    for old in [*dist.glob("canarygan*.whl"), *dist.glob("canarygan*.tar.gz")]:
        old.unlink()
    for folder in [".", *(f"plugins/{name}" for name in PLUGINS)]:
        session.run("python", "-m", "build", "--outdir", str(dist), folder, env=ALONE_IN_CLONE)
    built = [str(path) for path in sorted(dist.glob("canarygan*"))]
    session.run("twine", "check", "--strict", *built)
    wheels = [path for path in built if path.endswith(".whl")]
    session.install("--no-deps", "--force-reinstall", *wheels)
    session.install(*KERNEL_REQUIRES)
    session.run("canarygan", "plugins")  # lists the plugins without torch, which --no-deps left out


def group(*names: str) -> tuple[str, ...]:
    """The requirements in groups of pyproject.toml."""
    return nox.project.dependency_groups(PROJECT, *names)


def list_required(name: str) -> list[str]:
    """A plugin of this repository and those that it requires, themselves and so on."""
    told = nox.project.load_toml(f"plugins/{name}/pyproject.toml")["project"].get("dependencies", [])
    required = [Requirement(text).name.replace("-", "_") for text in told]
    return list(dict.fromkeys([name, *(one for each in required if each in PLUGINS for one in list_required(each))]))


def oldest() -> list[str]:
    """The lower bound of each requirement of the kernel and the plugins, as an exact version."""
    bounds: dict[str, Version] = {}
    projects = [nox.project.load_toml(f"plugins/{name}/pyproject.toml")["project"] for name in PLUGINS]
    for text in [*KERNEL_REQUIRES, *(text for project in projects for text in project["dependencies"])]:
        requirement = Requirement(text)
        lower = [Version(bound.version) for bound in requirement.specifier if bound.operator == ">="]
        if not requirement.name.startswith("canarygan"):
            bounds[requirement.name] = max([*lower, bounds.get(requirement.name, Version("0"))])
    return [f"{name}=={version}" for name, version in sorted(bounds.items())]


def install_system(session: nox.Session) -> None:
    """Everything, editable, as the README installs it, and what tests and type checks need."""
    session.install("-r", "requirements.txt", *group("test", "references", "types", "lint"))


def look_up_vulnerabilities(session: nox.Session) -> None:
    """Run pip-audit, and fail where something is known of a package, or where one could not be looked up."""
    report = Path(session.create_tmp()).resolve() / "audit.json"
    report.unlink(missing_ok=True)
    words = ("--skip-editable", "--progress-spinner", "off", "--format", "json", "--output", str(report))
    said = session.run("pip-audit", *words, *session.posargs, silent=True, success_codes=[0, 1])
    if not report.is_file():
        last = str(said).strip().rpartition("\n")[2]
        session.error(f"Nothing was looked up: pip-audit needs a network on which pypi.org answers. It said: {last}")
    packages = json.loads(report.read_text(encoding="utf-8"))["dependencies"]
    skipped = {one["name"]: one["skip_reason"] for one in packages if "skip_reason" in one}
    unknown = [name for name, reason in skipped.items() if "editable" not in reason]
    faults = [
        f"{one['name']} {one['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'no version'}"
        for one in packages
        for fault in one.get("vulns", [])
    ]
    for fault in faults:
        session.log(fault)
    if unknown:
        first = f"{unknown[0]}: {skipped[unknown[0]]}"
        session.error(f"{len(unknown)} of {len(packages)} packages could not be looked up on pypi.org, such as {first}")
    if faults:
        session.error(f"{len(faults)} known vulnerabilities in {len(packages)} packages")
    session.log(f"No known vulnerabilities in {len(packages) - len(skipped)} packages.")


def in_system(session: nox.Session, *words: str, module: bool = True) -> None:
    """Run a module, or else a script, by the Python of the environment of `tests`."""
    environment = session.cache_dir.parent / "tests"
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        made = [sys.executable, "-m", "nox", "--envdir", str(environment.parent), "-s", "tests", "--install-only"]
        session.run(*made, external=True)
    session.run(str(python), *(["-m"] if module else []), *words, external=True)
