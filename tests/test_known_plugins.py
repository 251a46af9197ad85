"""What plugins offer is known after their first import: none is imported to be listed, and a slow one is named once."""

import json
import os
import time

from canarygan_core import components, hookimpl
from canarygan_core.plugins import loading, registry

COUNTING = """
import pathlib
from dataclasses import dataclass
from typing import ClassVar
from canarygan_core import Answer, Metric, Task, hookimpl

with open(pathlib.Path(__file__).with_name("imports"), "a") as stream:
    stream.write("x")
print("noise on standard output")

@dataclass(frozen=True)
class Loudness(Metric):
    \"\"\"How loud.\"\"\"

    name: ClassVar[str] = "loudness"

    def score(self, generated, reference):
        return {"loudness": 1.0}

def hello():
    "Say hello."
    print("noise of a task")
    return Answer("hello", {"said": "hello"})

@hookimpl
def register_metrics():
    return [Loudness]

@hookimpl
def register_tasks():
    return [Task("hello", "plugin_noisy:hello", "Say hello.")]
"""


def imports(site):
    return len((site.folder / "imports").read_text())


def test_a_plugin_is_imported_to_be_listed_the_first_time_alone(site):
    site.install("noisy", COUNTING)
    site.install("other", COUNTING.replace("loudness", "softness").replace("hello", "bye").replace("noisy", "other"))
    first = site.run("plugins", "--json").stdout
    assert imports(site) == 2
    for words in (["--help"], ["--version"], ["plugins"], ["sample", "-n", "2"], ["run", "--help"]):
        assert site.run(*words).returncode == 0
    again = site.run("plugins", "--json").stdout
    assert json.loads(again) == json.loads(first)
    assert imports(site) == 2
    assert "Say hello." in site.run("--help").stdout
    assert json.loads(site.run("plugins", "show", "loudness", "--json").stdout)[0]["summary"] == "How loud."
    assert imports(site) == 3, "the plugin that is asked for, and no other"


def test_what_is_printed_while_a_plugin_is_imported_or_works_is_no_answer(site):
    site.install("noisy", COUNTING)
    for _ in range(2):
        listed = site.run("plugins", "--json")
        assert json.loads(listed.stdout)["conflicts"] == []
        done = site.run("hello", "--json")
        assert json.loads(done.stdout) == {"said": "hello"}
        assert "noise on standard output\nnoise of a task" in done.stderr


def test_a_plugin_that_changes_is_imported_again(site):
    site.install("noisy", COUNTING)
    site.run("plugins")
    path = site.folder / "plugin_noisy.py"
    path.write_text(COUNTING.replace("loudness", "softness"))
    os.utime(path, (time.time() + 5, time.time() + 5))
    assert json.loads(site.run("plugins", "--json").stdout)["plugins"][1]["offers"]["metric"] == ["softness"]
    assert imports(site) == 2


def test_a_plugin_that_offers_something_else_than_is_known_is_corrected(site):
    site.install("noisy", COUNTING)
    site.run("plugins")
    path = site.folder / ".cache" / "plugins.json"
    path.write_text(path.read_text().replace("loudness", "gone"))
    done = site.run("plugins", "show", "gone")
    assert (done.returncode, "No metric named 'gone'; installed: loudness" in done.stderr) == (2, True)
    assert json.loads(site.run("plugins", "--json").stdout)["plugins"][1]["offers"]["metric"] == ["loudness"]


def test_a_damaged_or_unwritable_cache_costs_time_alone(site):
    site.install("noisy", COUNTING)
    site.run("plugins")
    for content in ("", "[]", '{"schema": 1, "plugins": {}}', '{"schema": 1, "plugins": []}', '{"schema": 2}'):
        (site.folder / ".cache" / "plugins.json").write_text(content)
        assert "loudness" in site.run("plugins").stdout
    assert imports(site) == 6
    (site.folder / "file").write_text("")
    assert "loudness" in site.run("plugins", CANARYGAN_CACHE=str(site.folder / "file")).stdout


def test_a_plugin_that_fails_is_tried_each_time(site):
    site.install("broken", COUNTING + "\nraise OSError('no licence')")
    for times in (1, 2):
        assert "not loaded: OSError: no licence" in site.run("plugins").stdout
        assert imports(site) == times


def test_a_known_plugin_that_fails_when_it_is_asked_for_is_told(site):
    site.install("noisy", COUNTING + "\nimport os\nif os.environ.get('BROKEN'): raise OSError('no licence')")
    site.run("plugins")
    done = site.run("plugins", "show", "loudness", BROKEN="1")
    assert (done.returncode, "OSError: no licence" in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr


class Point:
    """An entry point of a module that takes its time."""

    name, value, module, dist = "sleepy", "sleepy_plugin", "sleepy_plugin", None

    def __init__(self, clock):
        self.clock = clock

    def load(self):
        self.clock.append(self.clock[-1] + 10.0)
        return Sleepy


class Sleepy:
    @staticmethod
    @hookimpl
    def register_tasks():
        return [components.Task("doze", "sleepy_plugin:doze", "Doze.")]


def test_a_slow_import_is_named_once_and_its_time_is_shown(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path))
    clock = [0.0]
    monkeypatch.setattr(registry.time, "monotonic", lambda: clock[-1])
    monkeypatch.setattr(registry.log, "propagate", True)
    found = loading.load_plugins([Point(clock)])
    assert found.plugins[1].seconds == 10.0
    assert "Plugin sleepy (sleepy_plugin unknown) took 10.0 s to import" in caplog.text
    caplog.clear()
    again = loading.load_plugins([Point(clock)])
    assert (again.plugins, again.task(["doze"]), clock) == (found.plugins, found.task(["doze"]), [0.0, 10.0])
    assert caplog.text == ""


def test_times_are_listed(site):
    site.install("noisy", COUNTING + "\nimport time\ntime.sleep(0.05)")
    (line,) = [line for line in site.run("plugins").stdout.splitlines() if line.startswith("  import")]
    assert 0.04 < float(line.split()[1]) < 5
