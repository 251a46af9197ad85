"""What a plugin offers: checked when it is loaded, and kept as long as its files are those of then."""

import abc
import json
import os
import types
from typing import ClassVar

import pytest
from toy_plugins import HELLO, Loudness

from canarygan_core import Dataset, Metric, Task
from canarygan_core.plugins import offers
from canarygan_core.plugins.offers import Known, KnownOffers, check_offer


def named(name):
    return type("Named", (Metric,), {"name": name, "score": lambda self, generated, reference: {}})


class Nameless(Metric):
    def score(self, generated, reference):
        return {}


class Abstract(Metric):
    name: ClassVar[str] = "abstract"

    @abc.abstractmethod
    def another(self):
        """What a subclass has."""


RULE = "of lower-case letters and digits joined by dashes"
TASK_RULE = f"give it one word or two, {RULE}, not run or plugins."


@pytest.mark.parametrize(
    ("kind", "offer", "reason"),
    [
        ("task", 3, "register_tasks must return Task objects, not 3."),
        *(
            ("task", Task(name, "a:b", "A."), f"a task cannot be named {name!r}: {TASK_RULE}")
            for name in ("a b c", "run", "plugins x", "completion", "Hello", "a  b", "", "-a", "a_b", "run it")
        ),
        ("metric", Loudness(), "register_metrics must return subclasses of Metric, not Loudness(floor=-60.0)."),
        ("dataset", Loudness, f"register_datasets must return subclasses of Dataset, not {Loudness!r}."),
        ("metric", Nameless, "Nameless has no name: give it `name: ClassVar[str] = ...`."),
        ("metric", named(3), "Named has no name: give it `name: ClassVar[str] = ...`."),
        ("metric", named(""), "Named has no name: give it `name: ClassVar[str] = ...`."),
        *(
            ("metric", named(name), f"Named cannot be named {name!r}: give it a name {RULE}.")
            for name in ("a b", "A", "a-", "a--b", "a\n")
        ),
        ("metric", Abstract, "Abstract does not define another, score."),
    ],
)
def test_an_offer_that_is_none_says_why(kind, offer, reason):
    with pytest.raises(TypeError) as told:
        check_offer(kind, offer)
    assert str(told.value) == reason


def test_offers_have_names():
    assert check_offer("metric", Loudness) == "loudness"
    for name in ("a", "a-1 b2", "running", "see plugins"):
        assert check_offer("task", Task(name, "a:b", "A.")) == name
    assert {base.kind for base in offers.OFFERED} >= {Metric.kind, Dataset.kind, "annotator"}


def test_what_is_known_of_an_offer():
    class Long(Nameless):
        """First line
        and second.

        Not this.
        """

    assert Known.of("metric", "long", Long) == Known("metric", "long", "First line and second.")
    whole = Task("hello", "toys:hello", "Say hello.", "toys:read")
    assert Known.of("task", "hello", whole) == Known("task", "hello", "Say hello.", "toys:hello", "toys:read")
    assert Known.of("task", "hello", whole).restore() == whole
    known = Known("metric", "long", "")
    assert known.restore() is known


KNOWN = [Known("metric", "loudness", "How loud."), Known.of("task", "hello", HELLO)]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package of two files, and the cache of the test's own."""
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "toy_package_a" / "deep").mkdir(parents=True)
    for name in ("__init__.py", "deep/more.py", "data.txt"):
        (tmp_path / "toy_package_a" / name).write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path / "toy_package_a"


def point(module="toy_package_a.deep", version="1.0", name="a"):
    return types.SimpleNamespace(name=name, value=module, module=module, dist=types.SimpleNamespace(version=version))


def test_what_was_kept_is_known(package):
    assert KnownOffers().find(point()) is None
    KnownOffers().keep(point(), KNOWN, 0.12345)
    assert KnownOffers().find(point()) == (KNOWN, 0.123)
    KnownOffers().keep(point(name="b"), [], 1.0)
    assert KnownOffers().find(point()) == (KNOWN, 0.123)
    assert KnownOffers().find(point(name="b")) == ([], 1.0)
    assert KnownOffers().find(point(name="c")) is None
    content = json.loads((package.parent / "cache" / "plugins.json").read_text())
    assert content["schema"] == offers.SCHEMA
    (entry, _) = content["plugins"].values()
    time = max(path.stat().st_mtime_ns for path in package.rglob("*.py"))
    assert entry["state"]["files"] == [2, 12, time]


@pytest.mark.parametrize("change", ["size", "time", "new file", "version", "kernel"])
def test_what_changed_is_not_known_any_more(package, monkeypatch, change):
    KnownOffers().keep(point(), KNOWN, 0.5)
    path = package / "deep" / "more.py"
    time = path.stat().st_mtime_ns
    if change == "size":
        path.write_text("x = 12\n")
        os.utime(path, ns=(time, time))
    if change == "time":
        os.utime(path, ns=(time, time + 1_000_000_000))
    if change == "new file":
        (package / "new.py").write_text("")
        os.utime(package / "new.py", ns=(0, 0))
    if change == "kernel":
        monkeypatch.setattr(offers, "find_version", lambda name: f"99 of {name}")
    assert KnownOffers().find(point(version="2.0" if change == "version" else "1.0")) is None


def test_what_changes_nothing_leaves_it_known(package):
    (package / "dangling.py").symlink_to(package / "nowhere")
    KnownOffers().keep(point(), KNOWN, 0.5)
    (package / "data.txt").write_text("longer than before")
    (package / "notes.md").write_text("")
    assert KnownOffers().find(point()) == (KNOWN, 0.5)


@pytest.mark.parametrize("module", ["toy_module_b", "toy_no_module.x", "json", "..x"])
def test_a_module_of_any_kind_can_be_kept(package, module):
    (package.parent / "toy_module_b.py").write_text("x = 1\n")
    one = types.SimpleNamespace(name="a", value=module, module=module, dist=None)
    KnownOffers().keep(one, KNOWN, 0.5)
    assert KnownOffers().find(one) == (KNOWN, 0.5)
    if module == "toy_module_b":
        (package.parent / "toy_module_b.py").write_text("x = 12\n")
        assert KnownOffers().find(one) is None


@pytest.mark.parametrize("error", [ImportError, ValueError, AttributeError])
def test_a_module_that_cannot_be_looked_for_can_be_kept(package, monkeypatch, error):
    def refuse(name):
        raise error(name)

    monkeypatch.setattr(offers.importlib.util, "find_spec", refuse)
    KnownOffers().keep(point(), KNOWN, 0.5)
    assert KnownOffers().find(point()) == (KNOWN, 0.5)


def test_what_is_no_longer_installed_is_forgotten(package):
    (package.parent / "toy_module_c.py").write_text("")
    KnownOffers().keep(point("toy_module_c"), KNOWN, 0.5)
    (package.parent / "toy_module_c.py").unlink()
    KnownOffers().keep(point(), KNOWN, 0.5)
    content = (package.parent / "cache" / "plugins.json").read_text()
    assert "toy_module_c" not in content
    assert f"@{package}" in content


def test_a_package_of_very_many_files_is_told_apart_by_some(package, monkeypatch):
    monkeypatch.setattr(offers, "MOST_FILES", 1)
    KnownOffers().keep(point(), KNOWN, 0.5)
    assert KnownOffers().find(point()) == (KNOWN, 0.5)
    (package / "__init__.py").write_text("x = 123\n")
    assert KnownOffers().find(point()) is None


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "3", "\xff", '{"schema": 1}', '{"schema": 1, "plugins": []}', '{"schema": 1, "plugins": 3}'),
        '{"schema": 2, "plugins": PLUGINS}',
    ],
)
def test_a_damaged_cache_knows_nothing_and_is_written_again(package, content):
    KnownOffers().keep(point(), KNOWN, 0.5)
    path = package.parent / "cache" / "plugins.json"
    plugins = json.dumps(json.loads(path.read_text())["plugins"])
    path.write_bytes(content.replace("PLUGINS", plugins).encode("latin-1"))
    assert KnownOffers().find(point()) is None
    KnownOffers().keep(point(), KNOWN, 0.5)
    assert KnownOffers().find(point()) == (KNOWN, 0.5)


@pytest.mark.parametrize("entry", [{}, {"offers": [{}]}, {"offers": 3}, {"seconds": "x"}, {"offers": [{"kind": 1}]}])
def test_a_damaged_entry_is_not_known(package, entry):
    KnownOffers().keep(point(), KNOWN, 0.5)
    path = package.parent / "cache" / "plugins.json"
    content = json.loads(path.read_text())
    (key,) = content["plugins"]
    content["plugins"][key] = content["plugins"][key] | entry if entry else {}
    path.write_text(json.dumps(content))
    assert KnownOffers().find(point()) is None


def test_a_cache_that_cannot_be_written_stops_nothing(package, monkeypatch):
    (package.parent / "file").write_text("")
    monkeypatch.setenv("CANARYGAN_CACHE", str(package.parent / "file"))
    KnownOffers().keep(point(), KNOWN, 0.5)
    assert KnownOffers().find(point()) is None
