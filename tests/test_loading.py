"""Plugins are loaded each on its own, and what ours are called is known where they are missing."""

import types

import pytest
from toy_plugins import HELLO, Loudness, Point, module

from canarygan_core.plugins import index, loading, registry


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """A cache of the test's own."""
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))


def test_each_plugin_is_loaded_guarded_from_the_others(monkeypatch):
    points = [Point(module(metric=[Loudness])), Point(module(task=[HELLO])), Point(ValueError("no licence"))]
    for point, name in zip(points, ("b", "b", "a"), strict=True):
        point.name = name
        point.dist = types.SimpleNamespace(name=f"canarygan-{name}", version="1.0", requires=None)
    points[2].dist.requires = ["torch", "nonsense ===", "canarygan>=90; python_version<'3'", "CanaryGAN>=0.0.1"]
    monkeypatch.setattr(loading, "find_version", lambda name: "1.5")
    found = loading.load_plugins(points)
    assert [one.name for one in found.plugins] == ["canarygan", "a", "b", "b"]
    assert [one.version for one in found.plugins] == ["1.5"] * 4
    assert [one.requires for one in found.plugins] == ["", ">=0.0.1", "", ""]
    assert [one.failure for one in found.plugins[1:]] == [
        "ValueError: no licence",
        "",
        "CanaryganError: another plugin is already named 'b'.",
    ]
    assert [point.loaded for point in points] == [1, 0, 1]


def test_a_plugin_of_another_api_is_not_imported(monkeypatch):
    point = Point(module(metric=[Loudness]))
    point.dist = types.SimpleNamespace(name="canarygan-a", version="1.0", requires=["canarygan>=2,<3"])
    monkeypatch.setattr(loading, "find_version", lambda name: "1.5")
    found = loading.load_plugins([point])
    assert found.plugins[1].failure == (
        "CanaryganError: it was built for canarygan<3,>=2, and this is canarygan 1.5: "
        "pip install --upgrade canarygan-a, or else pip install 'canarygan<3,>=2'"
    )
    assert (point.loaded, found.names("metric")) == (0, [])
    other = Point(module(task=[HELLO]))
    other.name = "b"
    for _ in range(2):  # the second time it is known
        assert HELLO in loading.load_plugins([point, other]).tasks()
    other.value, third = "changed", Point(module(metric=[Loudness]))
    third.name = "c"
    assert loading.load_plugins([point, other, third]).names("metric") == ["loudness"]
    again = loading.load_plugins([point, other, third])
    assert (again.names("metric"), HELLO in again.tasks()) == (["loudness"], True)
    assert [one.name for one in again.plugins] == ["canarygan", "a", "b", "c"]


def test_what_is_known_is_not_imported_again(monkeypatch):
    first, second, failing = Point(module(metric=[Loudness])), Point(None), Point(ValueError("x"))
    assert loading.load_plugins([first]).names("metric") == ["loudness"]
    again = loading.load_plugins([second])
    assert (again.names("metric"), second.loaded) == (["loudness"], 0)
    assert again.plugins[1].seconds == loading.KnownOffers().find(second)[1]
    failing.value = "others"
    for times in (1, 2):
        loading.load_plugins([failing])
        assert failing.loaded == times


def test_the_time_of_an_import_is_kept_of_each_plugin(monkeypatch):
    clock = iter([0.0, 0.25, 1.0, 1.5])
    monkeypatch.setattr(registry.time, "monotonic", lambda: next(clock))
    points = [Point(module(metric=[Loudness])), Point(module(task=[HELLO]))]
    for point, name in zip(points, "ab", strict=True):
        point.name = name
    for _ in range(2):
        found = loading.load_plugins(points)
        assert [one.seconds for one in found.plugins] == [0.0, 0.25, 0.5]
    assert [loading.KnownOffers().find(point)[1] for point in points] == [0.25, 0.5]
    kept = [[one.name for one in loading.KnownOffers().find(point)[0]] for point in points]
    assert kept == [["loudness"], ["hello"]]


def test_a_chosen_plugin_that_is_not_installed_is_told(monkeypatch):
    said = []
    monkeypatch.setattr(loading, "find_unknown_choices", lambda: ["metriks", "x"])
    monkeypatch.setattr(loading, "entry_points", lambda group: [types.SimpleNamespace(name="metrics")] if group else [])
    monkeypatch.setattr(loading, "find_entry_points", lambda: ["points"])
    monkeypatch.setattr(loading, "load_plugins", lambda points: points)
    monkeypatch.setattr(loading.log, "warning", said.append)
    assert loading.get_registry.__wrapped__() == ["points"]
    assert said == [
        "CANARYGAN_PLUGINS names metriks, which is not installed. Did you mean metrics? `pip list` tells what is.",
        "CANARYGAN_PLUGINS names x, which is not installed. `pip list` tells what is.",
    ]


@pytest.fixture
def known(monkeypatch):
    names = {
        "metric": {"frechet": "canarygan-metrics"},
        "task": {"umap plot": "canarygan-metrics", "cut": "canarygan-x"},
    }
    monkeypatch.setattr(index, "read_index", lambda: names)
    monkeypatch.setattr(index, "find_clone", lambda: None)


def test_names_of_ours_tell_their_distribution(known):
    install = "pip install {0}, or in a clone pip install -e .".format
    comes = " It comes with {0}: " + install("{0}") + "."
    assert index.suggest_distribution("frechet") == comes.format("canarygan-metrics")
    assert index.suggest_distribution("frechet", "metric") == comes.format("canarygan-metrics")
    assert index.suggest_distribution("umap", "task") == comes.format("canarygan-metrics")
    assert index.suggest_distribution("umap plot") == comes.format("canarygan-metrics")
    assert index.suggest_distribution("cut", "task") == comes.format("canarygan-x")
    assert index.suggest_distribution("frechet", "task") == index.suggest_distribution("plot") == ""
    assert [index.is_task(name) for name in ("umap", "umap plot", "cut", "plot", "frechet")] == [True] * 3 + [False] * 2
    two = install("canarygan-x or pip install canarygan-y")
    assert index.advise_installing("canarygan-x", "canarygan-y") == two
    assert index.advise_kind("metric") == "no metric is installed; " + install("canarygan-metrics")
    assert index.advise_kind("model") == "no model is installed"


def test_in_a_clone_its_folders_are_told(known, monkeypatch, tmp_path):
    monkeypatch.setattr(index, "find_clone", lambda: tmp_path / "a clone")
    (tmp_path / "a clone" / "plugins" / "canarygan_x_y").mkdir(parents=True)
    folder = f"pip install -e '{tmp_path}/a clone/plugins/canarygan_x_y'"
    assert index.advise_installing("canarygan-x-y") == folder
    assert index.advise_installing("canarygan-x-y", "canarygan-z") == (
        f"{folder} or pip install canarygan-z, or in a clone pip install -e ."
    )
