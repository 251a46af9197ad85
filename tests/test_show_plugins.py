"""`plugins show`: what a component, a plugin or a task is."""

import json

from toy_plugins import METRIC, require


def test_show_tells_what_a_component_is(site):
    field = '    name: ClassVar[str] = "loudness"\n    floor: float = -80.0\n    """Lowest level, dB."""\n'
    source = METRIC.replace('    name: ClassVar[str] = "loudness"\n', '    """How loud."""\n' + field)
    site.install("level", source)
    shown = json.loads(site.run("plugins", "show", "loudness", "--json").stdout)
    option = {"name": "floor", "type": "float", "required": False, "default": -80.0, "help": "Lowest level, dB."}
    told = {"kind": "metric", "name": "loudness", "summary": "How loud.", "plugin": "level", "options": [option]}
    assert shown == [told | {"distribution": "canarygan-level", "version": "1.0"}]
    text = site.run("plugins", "show", "loudness").stdout
    assert "metric loudness\n  How loud.\n  from canarygan-level 1.0, plugin level\n" in text
    assert "  floor  float  (default -80.0)\n      Lowest level, dB.\n" in text


def test_show_tells_what_a_plugin_is_and_what_failed(site):
    site.install("level", METRIC)
    require(site, "canarygan>=0.0.1")
    path = site.folder / "canarygan_level-1.0.dist-info" / "METADATA"
    page = "Project-URL: Source, https://example.org/level\n"
    path.write_text(path.read_text() + f"Summary: Levels.\nLicense: MIT\n{page}")
    for name in ("level", "canarygan-level"):
        (shown,) = json.loads(site.run("plugins", "show", name, "--json").stdout)
        assert (shown["kind"], shown["name"], shown["distribution"]) == ("plugin", "level", "canarygan-level")
        assert (shown["summary"], shown["licence"], shown["homepage"]) == (
            "Levels.",
            "MIT",
            "https://example.org/level",
        )
        assert (shown["requires"], shown["offers"], shown["failure"]) == (">=0.0.1", {"metric": ["loudness"]}, "")
    site.install("broken", "import nowhere_to_be_found")
    told = site.run("plugins", "show", "broken").stdout
    assert "not loaded: ModuleNotFoundError: No module named 'nowhere_to_be_found'" in told


def test_show_tells_the_options_of_a_task(site):
    (shown,) = json.loads(site.run("plugins", "show", "sample", "--json").stdout)
    options = {option["name"]: option for option in shown["options"]}
    assert (shown["kind"], shown["distribution"]) == ("task", "canarygan")
    assert (options["n-samples"]["type"], options["n-samples"]["default"]) == ("int", 16000)
    (shown,) = json.loads(site.run("plugins", "show", "write-dataset", "--json").stdout)
    options = {option["name"]: option for option in shown["options"]}
    assert options["save-dir"]["required"]
    assert "per-class" not in options


def test_show_of_what_is_not_there_names_what_is_near(site):
    site.install("level", METRIC)
    done = site.run("plugins", "show", "lodness")
    assert (done.returncode, "Did you mean loudness?" in done.stderr) == (2, True)
    site.install("rival", METRIC)
    done = site.run("plugins", "show", "loudness")
    assert done.returncode == 2
    assert "offered by canarygan-level 1.0 and by canarygan-rival 1.0" in done.stderr
