"""Finding plugins: what is broken is told, and hurts nobody else."""

import json

import pytest
from toy_plugins import METRIC, TASK, require

from canarygan_core.plugins import api

BROKEN = {
    "import": ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
    "exit": ("raise SystemExit(3)", "SystemExit: 3"),
    "syntax": ("def broken(:", "SyntaxError"),
    "hook-exit": (METRIC.replace("return [Loudness]", "raise SystemExit('enough')"), "SystemExit: enough"),
    "hook-raises": (METRIC.replace("return [Loudness]", "return [1 / 0]"), "ZeroDivisionError: division by zero"),
    "misspelt": (METRIC.replace("register_metrics", "register_metrcs"), "Did you mean register_metrics?"),
    "shortened": (METRIC.replace("register_metrics", "register_modls"), "Did you mean register_models?"),
    "argument": (METRIC.replace("register_metrics()", "register_metrics(config)"), "config"),
    "hookless": ("x = 1", "holds no function marked with canarygan_core.hookimpl"),
    "none": (METRIC.replace("return [Loudness]", "pass"), "register_metrics must return a list, not None"),
    "instance": (METRIC.replace("[Loudness]", "[Loudness()]"), "must return subclasses of Metric, not Loudness()"),
    "other-kind": (METRIC.replace("_metrics", "_models"), "must return subclasses of Model"),
    "nameless": (METRIC.replace('    name: ClassVar[str] = "loudness"\n', ""), "Loudness has no name"),
    "spaced": (METRIC.replace('"loudness"\n', '"Loud ness"\n'), "cannot be named 'Loud ness'"),
    "abstract": (METRIC.replace("def score(", "def scores("), "Loudness does not define score"),
    "not-a-task": (
        TASK.replace("Task(", "str(").replace('("NAME", "MODULE:hello", "Say hello.")', "(1)"),
        "Task objects",
    ),
    "no-task-name": (TASK.replace("NAME", ""), "a task cannot be named ''"),
    "run": (TASK.replace("NAME", "run"), "a task cannot be named 'run'"),
    "flag": (TASK.replace("NAME", "--help"), "a task cannot be named '--help'"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_plugin_is_listed_with_its_reason_and_hurts_nobody(site, fault):
    source, reason = BROKEN[fault]
    site.install("broken", source)
    site.install("sound", METRIC)
    listed = site.run("plugins")
    assert (listed.returncode, listed.stderr) == (0, "")
    data = json.loads(site.run("plugins", "--json").stdout)
    broken, sound = (next(one for one in data["plugins"] if one["name"] == name) for name in ("broken", "sound"))
    assert reason in broken["failure"]
    assert broken["failure"].splitlines()[0] in listed.stdout
    assert (broken["distribution"], broken["version"], broken["offers"]) == ("canarygan-broken", "1.0", {})
    assert (sound["failure"], sound["offers"]) == ("", {"metric": ["loudness"]})
    assert data["conflicts"] == []


def test_every_other_command_works_beside_all_that_can_be_broken(site):
    for fault, (source, _) in BROKEN.items():
        site.install(fault, source)
    site.install("sound", METRIC)
    assert "sample" in site.run("--help").stdout
    done = site.run("sample", "-n", "3", "-s", "here")
    assert done.returncode == 0, done.stderr
    assert (site.folder / "here" / "latent_z-dim_3.npy").is_file()
    recorded = json.loads((site.folder / "here" / "latent_z-dim_3.manifest.json").read_text())["versions"]
    assert "canarygan-sound" not in recorded, "it took no part"
    assert "canarygan-import" not in recorded
    missing = site.run("train-gan", "--model", "gone")
    assert missing.returncode == 2
    assert "Not loaded:" in missing.stderr
    assert "nowhere_to_be_found" in missing.stderr


def test_two_entry_points_of_one_name_are_one_plugin_and_a_failure(site):
    site.install("twin", METRIC, distribution="canarygan-first", module="first")
    site.install("twin", METRIC.replace("loudness", "softness"), distribution="canarygan-second", module="second")
    data = json.loads(site.run("plugins", "--json").stdout)
    twins = [(one["distribution"], one["failure"], one["offers"]) for one in data["plugins"] if one["name"] == "twin"]
    assert twins == [
        ("canarygan-first", "", {"metric": ["loudness"]}),
        ("canarygan-second", "CanaryganError: another plugin is already named 'twin'.", {}),
    ]


def test_two_components_of_one_name_are_refused_by_name_alone(site):
    source = """
from dataclasses import dataclass
from typing import ClassVar
from canarygan_core import Dataset, hookimpl

@dataclass(frozen=True)
class Noise(Dataset):
    name: ClassVar[str] = "noise"

    def load(self): ...

@hookimpl
def register_datasets():
    return [Noise]
"""
    site.install("one", source, distribution="canarygan-one")
    site.install("two", source, distribution="canarygan-two")
    data = json.loads(site.run("plugins", "--json").stdout)
    claimants = ["canarygan-one 1.0", "canarygan-two 1.0"]
    assert data["conflicts"] == [{"kind": "dataset", "name": "noise", "claimants": claimants}]
    assert all(not plugin["failure"] for plugin in data["plugins"])
    assert (
        "conflict: dataset 'noise' is offered by canarygan-one 1.0 and by canarygan-two" in site.run("plugins").stdout
    )
    asked = site.run("write-dataset", "--dataset", "noise", "-s", "here")
    assert asked.returncode == 2
    assert "offered by canarygan-one 1.0 and by canarygan-two 1.0" in asked.stderr
    assert "Traceback" not in asked.stderr
    other = site.run("write-dataset", "--dataset", "synthetic", "--per-class", "1", "--syllables", "1", "-s", "here")
    assert other.returncode == 0, other.stderr


def test_a_task_of_a_plugin_works(site):
    site.install("greet", TASK.replace("NAME", "hello").replace("MODULE", "plugin_greet"))
    assert site.run("hello").stdout == "hello from a plugin\n"
    assert site.run("run", "hello").stdout == "hello from a plugin\n"
    assert "Say hello." in site.run("--help").stdout


def test_a_task_of_a_plugin_does_not_replace_a_builtin_one(site):
    site.install("greet", TASK.replace("NAME", "sample").replace("MODULE", "plugin_greet"))
    assert "conflict: task 'sample'" in site.run("plugins").stdout
    asked = site.run("sample", "-n", "3")
    assert asked.returncode == 2
    assert "offered by canarygan " in asked.stderr
    assert "by canarygan-greet 1.0" in asked.stderr
    assert site.run("run", "check-data", "--help").returncode == 0
    assert site.run("--help").returncode == 0


def test_tasks_of_two_words_and_one_of_their_first_word_live_side_by_side(site):
    two = TASK.replace("MODULE", "plugin_greet")
    two = two.replace('[Task("NAME"', '[Task("hello", "plugin_greet:hello", "One."), Task("hello world"')
    site.install("greet", two)
    for words in (["hello"], ["hello", "world"], ["run", "hello", "world"]):
        assert site.run(*words).stdout == "hello from a plugin\n"
    assert site.run("--help").returncode == 0
    assert "world" in site.run("run", "hello", "--help").stdout + site.run("hello", "world", "--help").stdout


def test_environment_restricts_plugins(site):
    site.install("one", METRIC)
    site.install("two", METRIC.replace("loudness", "softness"))

    def found(chosen):
        return [one["name"] for one in json.loads(site.run("plugins", "--json", chosen=chosen).stdout)["plugins"]]

    assert found("two") == ["canarygan", "two"]
    assert found("one, two") == ["canarygan", "one", "two"]
    assert found("") == ["canarygan"]
    assert found("nobody") == ["canarygan"]
    told = site.run("plugins", chosen="onne,two,,")
    assert "CANARYGAN_PLUGINS names onne, which is not installed. Did you mean one?" in told.stderr
    assert told.stderr.count("\n") == 1
    assert site.run("plugins", chosen="").stderr == ""


def test_a_plugin_that_is_installed_with_the_whole_system_and_by_itself_counts_once(site):
    source = "from canarygan_core import hookimpl\n\n@hookimpl\ndef register_metrics():\n    return []\n"
    site.install("twice", source, distribution="canarygan-twice", module="plugin_twice")
    info = site.folder / "canarygan-0.2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: canarygan\nVersion: 0.2.0\n")
    (info / "entry_points.txt").write_text("[canarygan]\ntwice = plugin_twice\nwhole = plugin_twice\n")
    listed = json.loads(site.run("plugins", "--json", chosen="twice,whole").stdout)["plugins"]
    named = [(plugin["name"], plugin["distribution"]) for plugin in listed if plugin["name"] != "canarygan"]
    assert named == [("twice", "canarygan-twice"), ("whole", "canarygan")]


def test_a_plugin_built_for_another_api_is_not_imported_and_says_what_to_install(site):
    site.install("later", "raise SystemExit('imported')")
    require(site, "canarygan>=7.2,<8")
    site.install("sound", METRIC)
    require(site, "CanaryGAN[all] >= 0.0.1")
    listed = {one["name"]: one for one in json.loads(site.run("plugins", "--json").stdout)["plugins"]}
    assert listed["sound"]["failure"] == ""
    failure = listed["later"]["failure"]
    assert "it was built for canarygan<8,>=7.2, and this is canarygan " in failure
    assert failure.endswith("pip install --upgrade canarygan-later, or else pip install 'canarygan<8,>=7.2'")
    assert (listed["later"]["requires"], listed["later"]["offers"]) == ("<8,>=7.2", {})
    assert "not loaded: CanaryganError: it was built for" in site.run("plugins", "show", "later").stdout


@pytest.mark.parametrize(
    ("requires", "kernel", "fits"),
    [
        (">=0.1,<0.2", "0.1.0", True),
        (">=0.1,<0.2", "0.1.9.dev3+gabc", True),
        (">=0.1,<0.2", "0.2.0", False),
        (">=0.1,<0.2", "0.2.0.dev1", False),
        (">=0.1.5,<0.2", "0.1.4", False),
        ("~=1.2", "1.9", True),
        ("~=1.2", "2.0", False),
        ("", "9.9", True),
        (">=7", api.UNKNOWN, True),
    ],
)
def test_the_versions_that_a_plugin_was_built_for(requires, kernel, fits):
    assert (api.explain_mismatch("canarygan-x", requires, kernel) == "") is fits
