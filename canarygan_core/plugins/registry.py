"""Find plugins, load each on its own when it is wanted, and keep what fails as data."""

import contextlib
import logging
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint
from typing import Any

import pluggy

from canarygan_core import hookspecs
from canarygan_core.components import Annotator, Task
from canarygan_core.errors import CanaryganError, UsageError, did_you_mean
from canarygan_core.plugins.index import is_task, suggest_distribution
from canarygan_core.plugins.offers import OFFERED, Known, KnownOffers, check_offer
from canarygan_core.runs.distributions import LIBRARIES, UNKNOWN, find_version
from canarygan_core.runs.manifest import COMPONENT

log = logging.getLogger("canarygan")

SLOW = 1.0
"""Seconds of import from which a plugin is named: it should import heavy libraries when it works, not when found."""


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
        seconds: how long it took to import, when it was last imported for the list of what there is.
    """

    name: str
    distribution: str
    version: str
    requires: str = ""
    failure: str = ""
    offers: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0


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
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._waiting: dict[str, EntryPoint] = {}

    def add(self, plugin: Plugin, module: object) -> None:
        """Take what a module offers, or its failure: whatever it raises stays with it."""
        try:
            offers = list(self._declared(plugin.name, module))
        except (Exception, SystemExit) as error:  # noqa: BLE001 a stranger may raise anything, and must hurt nobody else
            self._manager.unregister(name=plugin.name)
            self.fail(plugin, error)
            return
        self._take(plugin, offers)

    def add_known(self, plugin: Plugin, point: EntryPoint, known: Sequence[Known]) -> None:
        """Take what a plugin is known to offer; it is imported when a component of it is asked for."""
        self._waiting[plugin.name] = point
        self._take(plugin, [(one.kind, one.name, one.restore()) for one in known])

    def load(self, plugin: Plugin, point: EntryPoint) -> None:
        """Import a plugin and take what it offers, or its failure; what it prints goes to standard error."""
        before = time.monotonic()
        with contextlib.redirect_stdout(sys.stderr):
            try:
                module = point.load()
            except (Exception, SystemExit) as error:  # noqa: BLE001 see `add`
                self.fail(plugin, error)
            else:
                self.add(plugin, module)
        seconds = round(time.monotonic() - before, 3)
        plugin = self._replace(self.plugins[-1], seconds=seconds)
        if seconds > SLOW:
            of = f"{plugin.distribution} {plugin.version}"
            advice = "its author can import heavy libraries within the functions that use them"
            log.warning(f"Plugin {plugin.name} ({of}) took {seconds:.1f} s to import: {advice}.")

    def fail(self, plugin: Plugin, error: BaseException) -> None:
        """Record a plugin that cannot be used, and why."""
        reason = str(error) or "no reason given"
        self.plugins.append(replace(plugin, failure=f"{type(error).__name__}: {reason}"))

    def list_offers(self, plugin: Plugin) -> list[Known]:
        """What a plugin that is loaded offers, as it is kept to know it by."""
        named = [(kind, name) for kind, names in plugin.offers.items() for name in names]
        offers = ((kind, name, *one) for kind, name in named for one in self._offers[kind][name])
        return [Known.of(kind, name, offer) for kind, name, offer, owner in offers if owner is plugin]

    def _take(self, plugin: Plugin, offers: Sequence[tuple[str, str, Any]]) -> None:
        names: dict[str, list[str]] = defaultdict(list)
        for kind, name, _ in offers:
            names[kind].append(name)
        plugin = replace(plugin, offers=dict(names))
        self.plugins.append(plugin)
        for kind, name, offer in offers:
            self._offers[kind][name].append((offer, plugin))

    def _drop(self, plugin: Plugin) -> None:
        """Forget a plugin and its offers."""
        self.plugins.remove(plugin)
        for kind, names in plugin.offers.items():
            for name in names:
                self._offers[kind][name] = [one for one in self._offers[kind][name] if one[1] is not plugin]
                if not self._offers[kind][name]:
                    del self._offers[kind][name]

    def _replace(self, plugin: Plugin, **changed: Any) -> Plugin:
        """Put a changed record of a plugin in the place of the one that is there."""
        new = replace(plugin, **changed)
        self.plugins[self.plugins.index(plugin)] = new
        for kind, names in plugin.offers.items():
            for name in names:
                offers = self._offers[kind][name]
                self._offers[kind][name] = [(offer, new if owner is plugin else owner) for offer, owner in offers]
        return new

    def _awaken(self, plugin: Plugin) -> None:
        """Import a plugin that was only known so far; it keeps its place in the list."""
        place, point = self.plugins.index(plugin), self._waiting.pop(plugin.name)
        self._drop(plugin)
        self.load(replace(plugin, offers={}), point)
        loaded = self._replace(self.plugins[-1], seconds=plugin.seconds)
        self.plugins.insert(place, self.plugins.pop())
        if loaded.offers != plugin.offers and not loaded.failure:
            KnownOffers().keep(point, self.list_offers(loaded), plugin.seconds)

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
                        yield kind, check_offer(kind, offer), offer

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
        """The plugin that offers a name; raises as `get` does."""
        self._find(kind, name)
        return self._offers[kind][name][0][1]

    def get(self, kind: str, name: str) -> Any:
        """The component class, or task, of that name; its plugin is imported where it was not yet.

        Raises:
            UsageError: where nobody offers it, or where several do.
        """
        offer, plugin = self._find(kind, name)
        if isinstance(offer, Known):
            self._awaken(plugin)
            offer, _ = self._find(kind, name)
        return offer

    def _find(self, kind: str, name: str) -> tuple[Any, Plugin]:
        """The one offer of that name, and who makes it; raises as `get` does."""
        offers = self._offers[kind].get(name, [])
        if not offers:
            names = self.names(kind)
            message = f"No {kind} named {name!r}; installed: {', '.join(names) or 'none'}.{did_you_mean(name, names)}"
            raise UsageError(message + suggest_distribution(name, kind) + self._list_broken())
        if len(offers) > 1:
            raise UsageError(str(next(one for one in self.conflicts if (one.kind, one.name) == (kind, name))))
        return offers[0]

    def get_recorded(self, kind: str, name: str, where: object, record: Mapping[str, Any]) -> Any:
        """The component class that an artefact was made with, as `get` gives it.

        Args:
            kind: the component's.
            name: the component's.
            where: the artefact, for the message.
            record: of the artefact; its `versions` say what was installed then.

        Raises:
            UsageError: as `get` does, with the plugins' distributions that were installed then and are not now.
        """
        if self._offers[kind].get(name):
            return self.get(kind, name)
        versions = record.get("versions", {}).keys() - {"python", "platform", *LIBRARIES}
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
        if COMPONENT.find_fault(part):
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
