"""`plugins check` and `plugins install`: the contract suite without pytest, and pip in this environment."""

import importlib
import inspect
import json
import logging
import subprocess
import sys
import tomllib
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from canarygan_core.cli.parser import name_groups
from canarygan_core.components import Answer, Task
from canarygan_core.errors import CanaryganError, UsageError, did_you_mean
from canarygan_core.plugins import Plugin, Registry
from canarygan_core.plugins.index import read_index
from canarygan_core.plugins.options import restore
from canarygan_core.runs.distributions import find_distribution, find_entry_points

log = logging.getLogger("canarygan")


def check_distribution(name: str, settings: Sequence[str], registry: Registry) -> Answer:
    """Hold all that a distribution offers to the contract.

    Args:
        name: of the distribution, or of one of its plugins.
        settings: options to check components with, as `component.option=value`.
        registry: what is installed.

    Raises:
        UsageError: where it is not installed, or a setting cannot be read.
    """
    plugins = [one for one in registry.plugins if name in (one.distribution, one.name)]
    if not plugins:
        known = {word for one in registry.plugins for word in (one.name, one.distribution)}
        raise UsageError(f"No plugin that is installed is named {name!r}.{did_you_mean(name, known)}")
    options = _read_settings(settings)
    rows = [row for plugin in plugins for row in _check_plugin(plugin, options, registry)]
    lines = [f"{'ok' if not told else 'FAILED'}  {what}" + (f"\n    {told}" if told else "") for what, told in rows]
    failed = sum(bool(told) for _, told in rows)
    verdict = f"{failed} of {len(rows)} checks failed" if failed else f"{len(rows)} checks passed"
    data = {"distribution": plugins[0].distribution, "checks": [{"what": one, "failure": told} for one, told in rows]}
    return Answer("\n".join([*lines, f"{plugins[0].distribution}: {verdict}."]), data, int(failed > 0))


def _check_plugin(
    plugin: Plugin, options: Mapping[str, Mapping[str, str]], registry: Registry
) -> Iterator[tuple[str, str]]:
    """What was checked of a plugin, with what is wrong or nothing."""
    from canarygan_core.testing import check_cheap_import

    if plugin.failure:
        yield f"plugin {plugin.name}", plugin.failure
        return
    for point in find_entry_points():
        if point.name == plugin.name and find_distribution(point) == plugin.distribution:
            yield f"entry module {point.module}", _attempt(partial(check_cheap_import, point.module))
    for kind, names in sorted(plugin.offers.items()):
        for name in names:
            log.info(f"Checking {kind} {name} ...")
            if kind == "task":
                check: Any = partial(_check_task, name, registry)
            else:
                check = partial(_check_component, kind, name, options.get(name, {}), registry)
            yield f"{kind} {name}", _attempt(check)


def _attempt(work: Callable[[], None]) -> str:
    """What is wrong, by the error that some work raises; empty where it raises none."""
    try:
        work()
    except (AssertionError, CanaryganError) as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 a stranger may raise anything
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})"
    return ""


def _check_component(kind: str, name: str, given: Mapping[str, str], registry: Registry) -> None:
    """A component keeps the contract, with options as the command line types them."""
    from canarygan_core.testing import check_component

    cls = registry.get(kind, name)
    component = restore(cls, given) if given else None
    check_component(cls, **{option: getattr(component, option) for option in given})


def _check_task(name: str, registry: Registry) -> None:
    """A task can be imported, its help can be shown, and each of its options has a help text."""
    from canarygan_core.cli.binding import Command
    from canarygan_core.cli.choosing import HELP_FLAGS

    task: Task = registry.get("task", name)
    assert task.summary, f"Task {name} has no summary: the list of tasks tells it."
    command = Command(task, HELP_FLAGS, registry)
    doc = inspect.getdoc(command.function)
    assert doc, f"{task.target} has no docstring: its first sentence is the help of {name}."
    parts = {f"{cls.kind} {cls.name}" for choice in command.choices for cls in (*choice.classes, *choice.implied)}
    for argument in command.app.assemble_argument_collection(parse_docstring=True):
        is_own = parts.isdisjoint(name_groups(argument)) and not list(argument.children) and argument.names != ("*",)
        advice = "write a line for it under `Args:`, or for a group of options below its field"
        assert not is_own or argument.parameter.help, f"{task.target} does not tell what {argument.name} is: {advice}."


def _read_settings(settings: Sequence[str]) -> dict[str, dict[str, str]]:
    """Options by component, from words such as `forest.trees=5`."""
    options: dict[str, dict[str, str]] = {}
    for setting in settings:
        place, sign, value = setting.partition("=")
        component, dot, option = place.partition(".")
        if not (sign and dot and component and option):
            raise UsageError(f"--set takes COMPONENT.OPTION=VALUE, such as forest.trees=5, not {setting!r}.")
        options.setdefault(component, {})[option.replace("-", "_")] = value
    return options


def install(name: str, registry: Registry) -> Answer:
    """Install what brings a name by pip, in the environment of this Python, and check it.

    Args:
        name: of a component or task that the index knows, of a distribution, or the folder of a package.
        registry: what was installed before.

    Raises:
        CanaryganError: where pip is not there, or fails.
    """
    is_folder = Path(name).is_dir()
    distribution = _read_name(Path(name)) if is_folder else _find_distribution(name)
    if find_spec("pip") is None:
        raise CanaryganError(f"There is no pip beside {sys.executable}: install {distribution} with what made it.")
    before = {plugin.distribution for plugin in registry.plugins}
    log.info(f"pip install {name if is_folder else distribution} ...")
    words = [sys.executable, "-m", "pip", "install", *(["-e", name] if is_folder else [distribution])]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CanaryganError(f"pip could not install {distribution}: {reason}")
    importlib.invalidate_caches()
    words = [sys.executable, "-m", "canarygan_core", "plugins", "check", distribution, "--json"]
    checked = subprocess.run(words, capture_output=True, text=True, check=False)
    try:
        data: dict[str, Any] = json.loads(checked.stdout)
    except ValueError:
        raise CanaryganError(f"{distribution} is installed, and is no plugin: {checked.stderr.strip()}") from None
    failures = [f"{one['what']}: {one['failure']}" for one in data["checks"] if one["failure"]]
    verb = "is up to date" if distribution in before else "is installed"
    verdict = "\n".join(["These checks failed:", *failures]) if failures else f"{len(data['checks'])} checks passed."
    return Answer(f"{distribution} {verb}. {verdict}", data, int(bool(failures)))


def _find_distribution(name: str) -> str:
    """The distribution that brings a name, or the name itself."""
    for names in read_index().values():
        for known, distribution in names.items():
            if name in (known, known.split()[0]):
                return distribution
    return name


def _read_name(folder: Path) -> str:
    """The name of the distribution in a folder."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["name"])
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise CanaryganError(f"{folder} is no package: {error}.") from None
