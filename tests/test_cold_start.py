"""Nothing heavy is imported before there is work for it."""

import json
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from canarygan_core.testing import HEAVY, check_cheap_import

PROBE = """
import contextlib, io, json, sys
before = set(sys.modules)
from canarygan_core.cli import main
with contextlib.redirect_stdout(io.StringIO()) as out:
    code = main.main(sys.argv[1:])
print(json.dumps({"code": code, "text": out.getvalue(), "modules": sorted(sys.modules.keys() - before)}))
"""


def modules(*words):
    """What a command imports, with every installed plugin."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words], capture_output=True, text=True, timeout=120, check=True
    )
    found = json.loads(done.stdout)
    assert found["code"] == 0
    assert found["text"]
    assert "canarygan_core.plugins" in found["modules"]
    return set(found["modules"])


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["plugins"], ["run", "train-gan", "--dataset", "synthetic", "--help"]]
)
def test_looking_around_imports_nothing_heavy(words):
    if "train-gan" in words:
        pytest.importorskip("canarygan_wavegan")
    assert modules(*words).isdisjoint(HEAVY)


def test_the_probe_sees_what_is_imported():
    assert "numpy" in modules("run", "sample", "--help")


@pytest.mark.parametrize(
    "module", ["canarygan_core.plugins.builtin", *(point.module for point in entry_points(group="canarygan"))]
)
def test_every_installed_plugin_is_found_without_waiting(module):
    check_cheap_import(module)
