"""`plugins check` and `plugins install`: the contract without pytest, and pip in this environment."""

import json
import types

import pytest
from specimens import Level, Net, broken
from toy_plugins import METRIC, TASK

from canarygan_core import CanaryganError
from canarygan_core.cli import checking
from canarygan_core.errors import UsageError

SOUND = METRIC.replace("class Loudness(Metric):\n", 'class Loudness(Metric):\n    """How loud."""\n\n')


def checked(site, name, *words):
    done = site.run("plugins", "check", name, *words, "--json")
    assert "Traceback" not in done.stderr
    return done.returncode, {one["what"]: one["failure"] for one in json.loads(done.stdout)["checks"]}


def test_a_sound_distribution_passes(site):
    site.install("level", SOUND)
    wanted = (0, {"entry module plugin_level": "", "metric loudness": ""})
    assert checked(site, "canarygan-level") == checked(site, "level") == wanted
    told = site.run("plugins", "check", "level")
    assert told.stdout.endswith("ok  metric loudness\ncanarygan-level: 2 checks passed.\n")


def test_what_breaks_the_contract_is_told_and_the_rest_is_checked(site):
    site.install("level", "print(1)\n" + SOUND.replace("1.0}", "float('nan')}"))
    code, told = checked(site, "level")
    assert code == 1
    assert "prints when it is imported" in told["entry module plugin_level"]
    assert "gives loudness = nan" in told["metric loudness"]
    site.install("bad", "import nowhere_to_be_found")
    assert "ModuleNotFoundError" in checked(site, "bad")[1]["plugin bad"]
    site.install("odd", SOUND.replace("loudness", "odd").replace("return {", "raise SystemError('mine'); return {"))
    assert "SystemError: mine" in checked(site, "odd")[1]["metric odd"]


def test_options_to_check_with_are_given_by_name(offer):
    slow = broken(Level, name="slow", __annotations__={"size": int}, size=0, __post_init__=refuse)
    registry = offer(slow)
    failing = checking.check_distribution("canarygan-toys", [], registry)
    assert (failing.exit_code, "Slow it down" in failing.text) == (1, True)
    with_size = checking.check_distribution("toys", ["slow.size=3", "slow.floor=-20"], registry)
    assert "Slow it down" not in with_size.text
    for wrong in ("slow", "slow.size", "size=3", ".size=3"):
        with pytest.raises(UsageError, match=r"--set takes COMPONENT.OPTION=VALUE"):
            checking.check_distribution("toys", [wrong], registry)
    with pytest.raises(UsageError, match="Did you mean toys"):
        checking.check_distribution("toyz", [], registry)


def refuse(self):
    if self.size < 1:
        raise CanaryganError("Slow it down.")


def test_models_are_checked_in_place(offer):
    assert checking.check_distribution("toys", [], offer(Net)).data["checks"] == [{"what": "model net", "failure": ""}]


def test_tasks_need_help(site):
    source = TASK.replace("NAME", "hello").replace("MODULE", "plugin_greet")
    site.install("greet", source)
    assert checked(site, "greet") == (0, {"entry module plugin_greet": "", "task hello": ""})
    site.install("mute", source.replace("def hello():", "def hello(*, loud: int = 3):").replace("hello", "mute"))
    (site.folder / "plugin_mute.py").write_text((site.folder / "plugin_mute.py").read_text().replace("greet", "mute"))
    assert "does not tell what --loud is" in checked(site, "mute")[1]["task mute"]
    site.install("bare", source.replace('    "Say hello."\n', "").replace("hello", "bare").replace("greet", "bare"))
    assert "plugin_bare:bare has no docstring" in checked(site, "bare")[1]["task bare"]


@pytest.fixture
def pip(monkeypatch):
    """What was run in place of pip and of the check, whose answers a test gives."""
    ran, answers = [], {"pip": (0, "", ""), "check": (0, '{"checks": [{"what": "metric x", "failure": ""}]}', "")}

    def run(words, **options):
        ran.append(words[1:])
        code, out, err = answers["pip" if "pip" in words else "check"]
        return types.SimpleNamespace(returncode=code, stdout=out, stderr=err)

    monkeypatch.setattr(checking.subprocess, "run", run)
    return ran, answers


def test_install_takes_the_name_of_a_component_a_distribution_or_a_folder(pip, offer, tmp_path):
    ran, _ = pip
    told = checking.install("knn", offer())
    assert ran[0] == ["-m", "pip", "install", "canarygan-decoders"]
    assert ran[1] == ["-m", "canarygan_core", "plugins", "check", "canarygan-decoders", "--json"]
    assert (told.text, told.exit_code) == ("canarygan-decoders is installed. 1 checks passed.", 0)
    checking.install("canarygan-of-mine", offer())
    assert ran[2][-1] == "canarygan-of-mine"
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "canarygan-here"\n')
    assert checking.install(str(tmp_path), offer()).text.startswith("canarygan-here is installed.")
    assert ran[4] == ["-m", "pip", "install", "-e", str(tmp_path)]
    (tmp_path / "pyproject.toml").unlink()
    with pytest.raises(CanaryganError, match="is no package"):
        checking.install(str(tmp_path), offer())


def test_install_tells_what_failed(pip, offer, monkeypatch):
    _, answers = pip
    answers["check"] = (1, '{"checks": [{"what": "metric x", "failure": "it is nan"}]}', "")
    told = checking.install("knn", offer())
    assert (told.exit_code, told.text.splitlines()[1:]) == (1, ["metric x: it is nan"])
    answers["check"] = (2, "", "canarygan: No plugin that is installed is named 'x'.")
    with pytest.raises(CanaryganError, match="is installed, and is no plugin: canarygan: No plugin"):
        checking.install("knn", offer())
    answers["pip"] = (1, "", "ERROR: a\nERROR: No matching distribution\n")
    with pytest.raises(CanaryganError, match="install canarygan-decoders: ERROR: No matching distribution"):
        checking.install("knn", offer())
    monkeypatch.setattr(checking, "find_spec", lambda name: None)
    with pytest.raises(CanaryganError, match="There is no pip beside"):
        checking.install("knn", offer())


def test_checking_needs_no_pytest(site):
    site.install("level", SOUND)
    hidden = "import sys; sys.modules['pytest'] = None; from canarygan_core.cli.main import main; sys.exit(main())"
    done = site.run("plugins", "check", "level", program=("-c", hidden))
    assert done.returncode == 0, done.stderr
