"""Installed distributions: which plugins are found, and the versions of all that can change a result."""

import json
import platform
import types
from importlib.metadata import EntryPoint, PackageNotFoundError

import pytest

from canarygan_core.runs import distributions


def point(name, module, distribution):
    """An entry point of an installed distribution."""
    found = EntryPoint(name, module, "canarygan")
    vars(found)["dist"] = distribution and types.SimpleNamespace(name=distribution)
    return found


@pytest.fixture
def points(monkeypatch):
    """Entry points that are installed: `twice` by itself and with the whole system, `whole` with that alone."""
    monkeypatch.delenv("CANARYGAN_PLUGINS", raising=False)
    own, whole = ("canarygan-twice", "twice_plugin"), ("canarygan", "whole_plugin")
    installed = [
        point("twice", "twice_plugin", "canarygan"),
        point("twice", own[1], own[0]),
        point("twice", "another_plugin", "canarygan"),
        point("whole", whole[1], whole[0]),
    ]
    monkeypatch.setattr(distributions, "entry_points", lambda group: installed if group == "canarygan" else [])
    return installed


def tell(found):
    return [(one.name, one.value, distributions.find_distribution(one)) for one in found]


def test_what_is_installed_by_itself_and_with_the_whole_system_counts_once(points):
    assert tell(distributions.find_entry_points()) == [
        ("twice", "twice_plugin", "canarygan-twice"),
        ("twice", "another_plugin", "canarygan"),
        ("whole", "whole_plugin", "canarygan"),
    ]


@pytest.mark.parametrize(
    ("chosen", "names", "unknown"),
    [
        ("whole", {"whole"}, []),
        (" whole , twice,", {"whole", "twice"}, []),
        ("", set(), []),
        ("whole,zebra,ant", {"whole"}, ["ant", "zebra"]),
    ],
)
def test_the_environment_chooses_plugins(points, monkeypatch, chosen, names, unknown):
    monkeypatch.setenv("CANARYGAN_PLUGINS", chosen)
    assert {one.name for one in distributions.find_entry_points()} == names
    assert distributions.find_unknown_choices() == unknown


def test_without_a_choice_none_is_unknown(points):
    assert distributions.find_unknown_choices() == []


def test_an_entry_point_without_a_distribution_is_named_by_its_module():
    assert distributions.find_distribution(point("a", "a_plugin", None)) == "a_plugin"


def test_versions_of_python_the_kernel_loaded_plugins_and_libraries(monkeypatch):
    installed = {"canarygan": "1.2", "canarygan-a": "3.4", "numpy": "5.6", "json-lib": "7.8"}

    def version(name):
        if name not in installed:
            raise PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(distributions, "version", version)
    loaded, absent = point("a", "json", "canarygan-a"), point("b", "never_loaded", "canarygan-b")
    monkeypatch.setattr(distributions, "find_entry_points", lambda: [loaded, absent])
    libraries = {"numpy": "numpy", "unknown-lib": "json", "unloaded": "never_loaded"}
    monkeypatch.setattr(distributions, "LIBRARIES", libraries)
    assert distributions.collect_versions() == {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "canarygan": "1.2",
        "canarygan-a": "3.4",
        "numpy": "5.6",
    }
    assert distributions.find_version("nothing-of-the-kind") == "unknown"


@pytest.mark.parametrize("told", ["url", "not a file", "nothing", "no JSON", "not installed"])
def test_a_clone_is_found_where_the_system_was_installed_from(tmp_path, monkeypatch, told):
    clone = tmp_path / "a clone"
    (clone / "plugins" / "canarygan_a").mkdir(parents=True)
    (clone / "plugins" / "canarygan_a" / "pyproject.toml").write_text("")
    texts = {
        "url": json.dumps({"url": clone.as_uri()}),
        "not a file": json.dumps({"url": f"https://example.org{clone}"}),
        "nothing": None,
        "no JSON": "{",
    }

    class Distribution:
        def read_text(self, name):
            return texts[told] if name == "direct_url.json" else None

    def find(name):
        if told == "not installed" or name != "canarygan":
            raise PackageNotFoundError(name)
        return Distribution()

    monkeypatch.setattr(distributions, "distribution", find)
    monkeypatch.setattr(distributions, "__file__", str(tmp_path / "site" / "canarygan_core" / "runs" / "x.py"))
    assert distributions.find_clone() == (clone if told == "url" else None)
    monkeypatch.setattr(distributions, "__file__", str(clone / "canarygan_core" / "runs" / "x.py"))
    assert distributions.find_clone() == clone
