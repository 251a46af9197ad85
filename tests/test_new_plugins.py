"""What `plugins new` writes, word by word, without installing it."""

import functools

import pytest
import refusals

from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.plugins import Plugin, Registry, scaffold

told = functools.partial(refusals.told, scaffold.write_plugin, error=UsageError)

KINDS = ["annotator", "dataset", "decoder", "metric", "model", "projector", "task"]


def registry(version="1.4.2", *others):
    found = Registry()
    found.plugins += [Plugin("canarygan", "canarygan", version), *others]
    return found


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind in scaffold.RUNS])
def test_the_answer_says_what_was_written_and_what_to_type(tmp_path, kind):
    folder = tmp_path / "canarygan-my-own"
    answer = scaffold.write_plugin("my-own", kind, tmp_path, registry())
    names = ["README.md", "canarygan_my_own.py", "pyproject.toml", "test_canarygan_my_own.py"]
    use = scaffold.RUNS[kind].format(name="my-own")
    commands = [f"pip install -e {folder}", f"pytest {folder}", use]
    assert answer.data == {"path": str(folder), "files": names, "next": commands}
    listed = ", ".join(names)
    assert answer.text == "\n".join([f"Wrote {listed} to {folder}. Next:", *(f"  {one}" for one in commands)])
    assert sorted(path.name for path in folder.iterdir()) == names
    texts = {path.name: path.read_text() for path in folder.iterdir()}
    assert not [name for name, text in texts.items() if "laceholder" in text or "KIND" in text or "REQUIRED" in text]
    assert "canarygan>=1.4,<2" in texts["pyproject.toml"]
    assert f"pip install -e .\npytest\n{use}" in texts["README.md"]
    if kind == "task":
        assert "def my_own(" in texts["canarygan_my_own.py"]
        assert "canarygan_my_own" in texts["test_canarygan_my_own.py"]
    else:
        assert f"class MyOwn{kind.capitalize()}(" in texts["canarygan_my_own.py"]
        assert f"from canarygan_my_own import MyOwn{kind.capitalize()}\n" in texts["test_canarygan_my_own.py"]


@pytest.mark.parametrize(
    ("version", "requires"),
    [
        ("0.2.0", "canarygan>=0.2,<0.3"),
        ("0.9.1.dev3", "canarygan>=0.9,<0.10"),
        ("1.0", "canarygan>=1.0,<2"),
        ("12.34.5", "canarygan>=12.34,<13"),
        ("unknown", "canarygan"),
    ],
)
def test_a_plugin_requires_the_api_that_it_was_written_for(tmp_path, version, requires):
    scaffold.write_plugin("mine", "metric", tmp_path, registry(version))
    assert f'"{requires}"' in (tmp_path / "canarygan-mine" / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("name", "kind", "cls"),
    [
        ("mine", "metric", "MineMetric"),
        ("my-metric", "metric", "MyMetric"),
        ("my-own-metric", "metric", "MyOwnMetric"),
        ("metric", "metric", "MetricMetric"),
    ],
)
def test_a_class_is_called_after_the_plugin_and_its_kind_once(tmp_path, name, kind, cls):
    scaffold.write_plugin(name, kind, tmp_path, registry())
    (module,) = (tmp_path / f"canarygan-{name}").glob("canarygan_*.py")
    assert f"class {cls}(" in module.read_text()


@pytest.mark.parametrize(
    ("save_dir", "place"),
    [(".", "./canarygan-mine"), ("sub", "./sub/canarygan-mine"), ("../up", "../up/canarygan-mine")],
)
def test_a_folder_is_spelled_so_that_pip_takes_it_for_one(tmp_path, monkeypatch, save_dir, place):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    answer = scaffold.write_plugin("mine", "metric", type(tmp_path)(save_dir), registry())
    assert answer.data["next"][:2] == [f"pip install -e {place}", f"pytest {place}"]
    spaced = scaffold.write_plugin("mine", "metric", type(tmp_path)("a b"), registry())
    assert spaced.data["next"][0] == "pip install -e 'a b/canarygan-mine'"


RULES = (
    "give it a name of lower-case letters and digits joined by dashes, "
    "which starts with a letter and has at most 32 of them."
)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Loud Ness", " Did you mean loud-ness?"),
        ("my_metric_", " Did you mean my-metric?"),
        ("2nd-one-3", " Did you mean nd-one?"),
        ("a" * 31 + "-" + "b", f" Did you mean {'a' * 31}?"),
        ("", ""),
        ("12", ""),
        ("a\n", " Did you mean a?"),
    ],
)
def test_a_name_that_is_none_is_told_with_one_that_is(tmp_path, name, near):
    assert told(name, "metric", tmp_path, registry()) == f"A plugin cannot be named {name!r}: {RULES}{near}"
    assert list(tmp_path.iterdir()) == []
    assert scaffold.write_plugin("a" * 32, "metric", tmp_path, registry())


def test_names_that_are_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(scaffold, "read_index", lambda: {"metric": {"frechet": "canarygan-indexed"}})
    others = Plugin("point", "canarygan-sold", "1"), Plugin("x", "other-distribution", "1")
    for name in ("core", "indexed", "sold", "point", "canarygan"):
        message = f"There is a plugin named {name!r} already: take another name."
        assert told(name, "metric", tmp_path, registry("1.0", *others)) == message

    class Offering(Registry):
        def names(self, kind):
            return ["loudness"] if kind == "metric" else []

        def provider(self, kind, name):
            return Plugin("a", f"canarygan-of-{kind}-{name}", "1")

    offering = Offering()
    offering.plugins.append(Plugin("canarygan", "canarygan", "1.0"))
    message = "canarygan-of-metric-loudness offers a metric named 'loudness' already: take another name."
    assert told("loudness", "metric", tmp_path, offering) == message
    assert scaffold.write_plugin("loudness", "model", tmp_path, offering)


def test_a_folder_that_is_there_is_left(tmp_path):
    folder = tmp_path / "canarygan-mine"
    folder.mkdir()
    message = f"{folder} is there already: take another name, or another folder with -s."
    assert told("mine", "metric", tmp_path, registry(), error=CanaryganError) == message
    assert list(folder.iterdir()) == []
