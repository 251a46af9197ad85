"""The registry: names that can be asked for, names that clash, and what is told of what is missing or broken."""

import functools
import sys
import types

import pytest
import refusals
from toy_plugins import HELLO, Louder, Loudness, Point, module, plugin

from canarygan_core import Task
from canarygan_core.components import Annotator
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins import Registry, offers, registry
from canarygan_core.plugins.offers import Known

told = functools.partial(refusals.told, error=UsageError)


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """No clone, no index, and a cache of the test's own."""
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(registry, "suggest_distribution", lambda name, kind="": "")
    monkeypatch.setattr(registry, "is_task", lambda name: False)


def test_what_a_plugin_offers_can_be_asked_for():
    found = Registry()
    found.add(plugin(), module(metric=[Loudness], task=[HELLO]))
    assert found.plugins == [plugin(offers={"metric": ["loudness"], "task": ["hello"]})]
    assert found.get("metric", "loudness") is Loudness
    assert found.provider("metric", "loudness") is found.plugins[0]
    assert found.names("metric") == ["loudness"]
    assert found.tasks() == [HELLO]
    assert found.conflicts == []
    assert found.list_offers(found.plugins[0]) == [
        Known("metric", "loudness", "How loud."),
        Known("task", "hello", "Say hello.", "toys:hello"),
    ]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (types.ModuleType("made"), "its module holds no function marked with canarygan_core.hookimpl."),
        (module(metrik=[Loudness]), "no hook is named register_metriks. Did you mean register_metrics?"),
        (module(taks=[HELLO]), "no hook is named register_takss. Did you mean register_tasks?"),
        (module(metric=None), "register_metrics must return a list, not None."),
        (module(metric=[Loudness, 3]), "register_metrics must return subclasses of Metric, not 3."),
        (module(task=["hello"]), "register_tasks must return Task objects, not 'hello'."),
    ],
)
def test_what_offers_nothing_fails_alone_and_says_why(made, reason):
    found = Registry()
    found.add(plugin(), made)
    assert found.plugins == [plugin(failure=f"TypeError: {reason}")]
    assert found.names("metric") == found.tasks() == []
    found.add(plugin(), module(metric=[Loudness]))  # its name is free again
    assert found.get("metric", "loudness") is Loudness


def test_a_name_that_several_claim_is_refused_and_nothing_else_is():
    found = Registry()
    found.add(plugin("a"), module(metric=[Loudness], task=[HELLO]))
    found.add(plugin("b", "2.0"), module(metric=[Louder], task=[Task("bye", "toys:bye", "Say bye.")]))
    message = (
        "metric 'loudness' is offered by canarygan-a 1.0 and by canarygan-b 2.0; "
        "uninstall one of them, or restrict CANARYGAN_PLUGINS."
    )
    assert [str(one) for one in found.conflicts] == [message]
    assert told(found.get, "metric", "loudness") == told(found.provider, "metric", "loudness") == message
    assert [task.name for task in found.tasks()] == ["bye", "hello"]
    found.add(plugin("c"), module(task=[HELLO]))
    assert [(one.kind, one.name) for one in found.conflicts] == [("metric", "loudness"), ("task", "hello")]
    assert [task.name for task in found.tasks()] == ["bye"]
    assert "task 'hello' is offered by canarygan-a 1.0 and by canarygan-c 1.0" in told(found.task, ["hello"])
    assert [one.name for one in found.list_offers(found.plugins[1])] == ["loudness", "bye"]


def test_a_missing_name_tells_what_is_there_and_what_did_not_load(monkeypatch):
    found = Registry()
    assert told(found.get, "metric", "loud") == "No metric named 'loud'; installed: none."
    found.add(plugin(), module(metric=[Loudness]))
    found.fail(plugin("b"), ValueError("no licence"))
    found.fail(plugin("c"), SystemExit())
    broken = "\nNot loaded: b (ValueError: no licence); c (SystemExit: no reason given)"
    near = "No metric named 'loudnes'; installed: loudness. Did you mean loudness?"
    assert told(found.get, "metric", "loudnes") == near + broken
    monkeypatch.setattr(registry, "suggest_distribution", lambda name, kind="": f" Install {kind} {name}.")
    assert told(found.get, "metric", "x") == "No metric named 'x'; installed: loudness. Install metric x." + broken


def test_a_known_plugin_is_imported_when_it_is_asked_for_and_keeps_its_place():
    found, point = Registry(), Point(module(metric=[Loudness], task=[HELLO]))
    known = [Known("metric", "loudness", "How loud."), Known("task", "hello", "Say hello.", "toys:hello")]
    found.add_known(plugin(seconds=0.25), point, known)
    found.add(plugin("b"), module(task=[Task("bye", "toys:bye", "Say bye.")]))
    assert [task.name for task in found.tasks()] == ["bye", "hello"]
    assert found.task(["hello"]) == HELLO
    assert point.loaded == 0
    assert found.get("metric", "loudness") is Loudness
    assert found.get("metric", "loudness") is Loudness
    assert point.loaded == 1
    assert [one.name for one in found.plugins] == ["a", "b"]
    assert found.plugins[0] == plugin(seconds=0.25, offers={"metric": ["loudness"], "task": ["hello"]})
    assert found.conflicts == []
    assert found.provider("metric", "loudness") is found.plugins[0]


def test_a_known_plugin_that_offers_something_else_now_is_known_by_that():
    found, point = Registry(), Point(module(metric=[Loudness]))
    found.add_known(plugin(seconds=0.25), point, [Known("metric", "gone", ""), Known("metric", "loudness", "")])
    assert told(found.get, "metric", "gone").startswith("No metric named 'gone'; installed: loudness.")
    assert found.plugins == [plugin(seconds=0.25, offers={"metric": ["loudness"]})]
    kept = offers.KnownOffers().find(point)
    assert kept == ([Known("metric", "loudness", "How loud.")], 0.25)


def test_a_known_plugin_that_fails_now_is_told():
    found, point = Registry(), Point(OSError("no licence"))
    found.add_known(plugin(), point, [Known("metric", "loudness", "")])
    message = "No metric named 'loudness'; installed: none.\nNot loaded: a (OSError: no licence)"
    assert told(found.get, "metric", "loudness") == message
    assert offers.KnownOffers().find(point) is None


def test_a_slow_import_is_told_and_what_it_prints_is_no_answer(monkeypatch, capsys):
    clock, said = iter([5.0, 6.0, 10.0, 11.5]), []
    monkeypatch.setattr(registry.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(registry.log, "warning", said.append)

    class Printing(Point):
        def load(self):
            sys.stdout.write("noise\n")
            return super().load()

    found = Registry()
    found.load(plugin(), Printing(module(metric=[Loudness])))
    assert (found.plugins[0].seconds, said) == (1.0, [])
    found.load(plugin("b", "2.0"), Printing(module(task=[HELLO])))
    assert found.plugins[1].seconds == 1.5
    assert said == [
        "Plugin b (canarygan-b 2.0) took 1.5 s to import: "
        "its author can import heavy libraries within the functions that use them."
    ]
    assert capsys.readouterr() == ("", "noise\nnoise\n")


@pytest.mark.parametrize("error", [ImportError("no toys"), SystemExit("stop")])
def test_a_plugin_that_cannot_be_imported_fails_alone(error):
    found = Registry()
    found.load(plugin(), Point(error))
    assert found.plugins[0].failure == f"{type(error).__name__}: {error}"
    with pytest.raises(KeyboardInterrupt):
        found.load(plugin(), Point(KeyboardInterrupt()))


def test_a_task_of_two_words_comes_before_one_of_the_first(monkeypatch):
    found = Registry()
    two = Task("hello twice", "toys:twice", "Say hello twice.")
    found.add(plugin(), module(task=[HELLO, two, Task("see you", "toys:you", "Say see you.")]))
    assert found.task(["hello", "twice", "x"]) == two
    assert found.task(["hello", "once"]) == found.task(["hello"]) == HELLO
    assert found.task(["see"]) is found.task(["nothing"]) is found.task([]) is None
    monkeypatch.setattr(registry, "is_task", lambda name: name in ("see", "absent", "absent too"))
    assert found.task(["see"]) is None
    assert told(found.task, ["absent", "too"]).startswith("No task named 'absent too'; installed: hello, hello twice")
    assert told(found.task, ["absent", "x"]).startswith("No task named 'absent';")


def test_a_record_gives_the_component_back_or_says_what_is_not_installed(monkeypatch):
    found = Registry()
    found.add(plugin(), module(metric=[Loudness]))
    record = {"options": {"metric": {"name": "loudness", "options": {"floor": -40}}}}
    assert found.restore("metric", "here", record) == Loudness(floor=-40.0)
    for empty in (
        {},
        {"options": {}},
        {"options": {"metric": "loudness"}},
        {"options": {"metric": {"name": "loudness"}}},
    ):
        assert told(found.restore, "metric", "here", empty, error=CanaryganError) == "here records no metric."
    installed = {"canarygan": "1.0"}
    monkeypatch.setattr(registry, "find_version", lambda name: installed.get(name, "unknown"))
    versions = dict.fromkeys(["python", "platform", "torch", "umap-learn", "canarygan", "zebra", "ant"], "1")
    message = "here is of metric gone, which is not installed."
    assert told(found.get_recorded, "metric", "gone", "here", {}) == message
    found.fail(plugin("b"), ValueError("no licence"))
    assert told(found.get_recorded, "metric", "gone", "here", {"versions": versions}) == (
        f"{message} Installed then and not now: ant, zebra.\nNot loaded: b (ValueError: no licence)"
    )
    monkeypatch.setattr(registry, "suggest_distribution", lambda name, kind="": f" Install {kind} {name}.")
    assert told(found.get_recorded, "metric", "gone", "here", {"versions": versions}).startswith(
        f"{message} Install metric gone.\nNot loaded"
    )


def test_paths_of_a_record_start_where_the_run_was_started(monkeypatch):
    seen = []
    monkeypatch.setattr("canarygan_core.plugins.options.restore", lambda *arguments: seen.append(arguments))
    found = Registry()
    found.add(plugin(), module(metric=[Loudness]))
    for record in ({"cwd": "/there"}, {}):
        found.restore("metric", "here", {"options": {"metric": {"name": "loudness", "options": {"a": 1}}}, **record})
    assert seen == [(Loudness, {"a": 1}, "/there"), (Loudness, {"a": 1}, "")]


def test_the_first_annotator_is_the_one():
    found = Registry()
    assert found.find_annotator() is None

    def annotator(word):
        own = dict.fromkeys(Annotator.__abstractmethods__)
        return type(word, (Annotator,), {**own, "name": word})

    found.add(plugin(), module(annotator=[annotator("b"), annotator("a")]))
    assert found.find_annotator().name == "a"
