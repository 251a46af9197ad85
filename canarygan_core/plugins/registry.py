"""Find plugins, load each on its own, and keep what fails as data."""

import functools
import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint
from typing import Any

import pluggy

from canarygan_core import hookspecs
from canarygan_core.components import KINDS, Annotator, Component, Task
from canarygan_core.distributions import GROUP, KERNEL, UNKNOWN, find_distribution, find_entry_points, find_version
from canarygan_core.errors import CanaryganError, UsageError, did_you_mean
from canarygan_core.plugins.api import explain_mismatch, find_requirement
from canarygan_core.plugins.index import is_task, suggest_distribution

WORD = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""What a name looks like: it is typed, and is part of flags."""

SPELLING = "of lower-case letters and digits joined by dashes"
"""The same for people."""

OFFERED: tuple[type[Component], ...] = (*KINDS, Annotator)
"""What has a hook, beside tasks."""

RESERVED = frozenset({"run", "plugins", "completion"})
"""Commands that no task can take."""


@dataclass(frozen=True)
class Plugin:
    """One entry point of the group, loaded or not.

    Attributes:
        name: the entry point's.
        distribution: what to `pip install` or uninstall.
        version: the distribution's.
        requires: the versions of canarygan that it says it was built for, such as `>=0.1,<0.2`; empty for any.
        failure: why it offers nothing, empty where it loaded.
        offers: names by kind (`model`, ..., `task`).
    """

    name: str
    distribution: str
    version: str
    requires: str = ""
    failure: str = ""
    offers: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Conflict:
    """One name that several plugins claim; it is refused when asked for, and hurts nothing else."""

    kind: str
    name: str
    claimants: tuple[str, ...]

    def __str__(self) -> str:
        rest = "uninstall one of them, or restrict CANARYGAN_PLUGINS"
        return f"{self.kind} {self.name!r} is offered by {' and by '.join(self.claimants)}; {rest}."


class Registry:
    """Everything that the loaded plugins offer.

    Attributes:
        plugins: every plugin found, failures included.
    """

    def __init__(self) -> None:
        self.plugins: list[Plugin] = []
        self._offers: dict[str, dict[str, list[tuple[Any, Plugin]]]] = defaultdict(lambda: defaultdict(list))
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)

    def add(self, plugin: Plugin, module: object) -> None:
        """Take what a module offers, or its failure: whatever it raises stays with it."""
        try:
            offers = list(self._declared(plugin.name, module))
        except (Exception, SystemExit) as error:  # noqa: BLE001 a stranger may raise anything, and must hurt nobody else
            self._manager.unregister(name=plugin.name)
            self.fail(plugin, error)
            return
        names: dict[str, list[str]] = defaultdict(list)
        for kind, name, _ in offers:
            names[kind].append(name)
        plugin = replace(plugin, offers=dict(names))
        self.plugins.append(plugin)
        for kind, name, offer in offers:
            self._offers[kind][name].append((offer, plugin))

    def fail(self, plugin: Plugin, error: BaseException) -> None:
        """Record a plugin that cannot be used, and why."""
        reason = str(error) or "no reason given"
        self.plugins.append(replace(plugin, failure=f"{type(error).__name__}: {reason}"))

    def _declared(self, name: str, module: object) -> Iterator[tuple[str, str, Any]]:
        """Yield (kind, name, class or task) for all that a module's hooks return."""
        self._manager.register(module, name)
        callers = self._manager.get_hookcallers(module) or []
        known = {f"register_{kind.kind}s" for kind in OFFERED} | {"register_tasks"}
        misspelt = [caller.name for caller in callers if not caller.has_spec()]
        if misspelt:
            raise TypeError(f"no hook is named {misspelt[0]}.{did_you_mean(misspelt[0], known)}")
        if not callers:
            raise TypeError("its module holds no function marked with canarygan_core.hookimpl.")
        for caller in callers:
            kind = caller.name.removeprefix("register_").removesuffix("s")
            for hook in caller.get_hookimpls():
                if hook.plugin_name == name:
                    offers: Any = hook.function()
                    if not isinstance(offers, Iterable):
                        raise TypeError(f"{caller.name} must return a list, not {offers!r}.")
                    for offer in offers:
                        yield kind, _checked(kind, offer), offer

    @property
    def conflicts(self) -> list[Conflict]:
        """Names that more than one plugin claims."""
        return [
            Conflict(kind, name, tuple(f"{plugin.distribution} {plugin.version}" for _, plugin in offers))
            for kind, named in sorted(self._offers.items())
            for name, offers in sorted(named.items())
            if len(offers) > 1
        ]

    def names(self, kind: str) -> list[str]:
        """What can be asked for, sorted."""
        return sorted(self._offers[kind])

    def provider(self, kind: str, name: str) -> Plugin:
        """The plugin that offers a name."""
        self.get(kind, name)
        return self._offers[kind][name][0][1]

    def get(self, kind: str, name: str) -> Any:
        """The component class, or task, of that name.

        Raises:
            UsageError: where nobody offers it, or where several do.
        """
        offers = self._offers[kind].get(name, [])
        if not offers:
            names = self.names(kind)
            message = f"No {kind} named {name!r}; installed: {', '.join(names) or 'none'}.{did_you_mean(name, names)}"
            raise UsageError(message + suggest_distribution(name, kind) + self._list_broken())
        if len(offers) > 1:
            raise UsageError(str(next(one for one in self.conflicts if (one.kind, one.name) == (kind, name))))
        return offers[0][0]

    def get_recorded(self, kind: str, name: str, where: object, record: Mapping[str, Any]) -> Any:
        """The component class that an artefact was made with, as `get` gives it.

        Args:
            kind: the component's.
            name: the component's.
            where: the artefact, for the message.
            record: of the artefact; its `versions` say what was installed then.

        Raises:
            UsageError: as `get` does, with the distributions that were installed then and are not now.
        """
        if self._offers[kind].get(name):
            return self.get(kind, name)
        versions = record.get("versions", {}).keys() - {"python", "platform"}
        missing = ", ".join(sorted(one for one in versions if find_version(one) == UNKNOWN))
        advice = suggest_distribution(name, kind) or (f" Installed then and not now: {missing}." if missing else "")
        raise UsageError(f"{where} is of {kind} {name}, which is not installed.{advice}{self._list_broken()}")

    def restore(self, kind: str, where: object, record: Mapping[str, Any]) -> Any:
        """The component, with its options, that a run's manifest records.

        Args:
            kind: the component's.
            where: the run, for messages.
            record: of the manifest. Relative paths among the options start from the folder the run was started in.

        Raises:
            CanaryganError: where the manifest records none of that kind, or one that cannot be had now.
        """
        from canarygan_core.plugins.options import restore

        part = record.get("options", {}).get(kind)
        if part is None:
            raise CanaryganError(f"{where} records no {kind}.")
        cls = self.get_recorded(kind, part["name"], where, record)
        return restore(cls, part["options"], record.get("cwd", ""))

    def find_annotator(self) -> Annotator | None:
        """What knows annotations: the installed one, by name the first; None where none is installed."""
        for name in self.names(Annotator.kind):
            annotator: Annotator = self.get(Annotator.kind, name)()
            return annotator
        return None

    def tasks(self) -> list[Task]:
        """Every task that nobody else claims, sorted by name."""
        return [offers[0][0] for _, offers in sorted(self._offers["task"].items()) if len(offers) == 1]

    def task(self, words: Sequence[str]) -> Task | None:
        """The task whose one or two words come first; None where there is none.

        Raises:
            UsageError: where several plugins offer it, or one does that is in the index and not installed.
        """
        names = [" ".join(words[:count]) for count in (2, 1)]
        offered = self._offers["task"]
        groups = {name.split()[0] for name in offered}
        known = [name for name in names if is_task(name) and name not in groups]
        name = next(iter([*filter(offered.__contains__, names), *known]), None)
        return None if name is None else self.get("task", name)

    def _list_broken(self) -> str:
        broken = [f"{plugin.name} ({plugin.failure})" for plugin in self.plugins if plugin.failure]
        return f"\nNot loaded: {'; '.join(broken)}" if broken else ""


def _checked(kind: str, offer: Any) -> str:
    """The name of what a hook returned; `TypeError` where it is not of that kind or has no name."""
    if kind == "task":
        if not isinstance(offer, Task):
            raise TypeError(f"register_tasks must return Task objects, not {offer!r}.")
        words = offer.name.split(" ")
        if len(words) > 2 or not all(map(WORD.fullmatch, words)) or words[0] in RESERVED:
            advice = f"give it one word or two, {SPELLING}, not run or plugins"
            raise TypeError(f"a task cannot be named {offer.name!r}: {advice}.")
        return offer.name
    wanted = next(base for base in OFFERED if base.kind == kind)
    if not (isinstance(offer, type) and issubclass(offer, wanted)):
        raise TypeError(f"register_{kind}s must return subclasses of {wanted.__name__}, not {offer!r}.")
    name = getattr(offer, "name", None)
    if not isinstance(name, str) or not name:
        raise TypeError(f"{offer.__name__} has no name: give it `name: ClassVar[str] = ...`.")
    if not WORD.fullmatch(name):
        raise TypeError(f"{offer.__name__} cannot be named {name!r}: give it a name {SPELLING}.")
    if inspect.isabstract(offer):
        raise TypeError(f"{offer.__name__} does not define {', '.join(sorted(offer.__abstractmethods__))}.")
    return name


def load_plugins(points: Sequence[EntryPoint]) -> Registry:
    """A registry of the kernel's own offers and of these entry points, each loaded guarded from the others."""
    from canarygan_core.plugins import builtin

    registry = Registry()
    registry.add(Plugin(KERNEL, KERNEL, find_version(KERNEL)), builtin)
    for point in sorted(points, key=lambda point: (point.name, find_distribution(point))):
        distribution = find_distribution(point)
        plugin = Plugin(point.name, distribution, find_version(distribution))
        try:
            if any(other.name == plugin.name for other in registry.plugins):
                raise CanaryganError(f"another plugin is already named {plugin.name!r}.")
            plugin = replace(plugin, requires=find_requirement(point))
            if mismatch := explain_mismatch(distribution, plugin.requires, registry.plugins[0].version):
                raise CanaryganError(mismatch)
            module = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 see Registry.add
            registry.fail(plugin, error)
        else:
            registry.add(plugin, module)
    return registry


@functools.cache
def get_registry() -> Registry:
    """The registry of everything installed, or of the comma-separated names in `CANARYGAN_PLUGINS` alone."""
    return load_plugins(find_entry_points())
