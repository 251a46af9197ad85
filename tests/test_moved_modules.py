"""The public API: old names of modules, and the versions that a plugin was built for."""

import importlib
import sys
import types
import warnings

import pytest

from canarygan_core import plugins
from canarygan_core.plugins import api


@pytest.fixture
def moved(monkeypatch):
    """A module that moved: `canarygan_core.toy_old` is `toy_new` now, and `former` is its `present`."""
    new, other = types.ModuleType("toy_new"), types.ModuleType("toy_other")
    new.value, new._private, new.present = 1, 2, 3
    other.elsewhere = 4
    for module in (new, other):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    entry = {"module": "toy_new", "former": "toy_new:present", "far": "toy_other:elsewhere"}
    monkeypatch.setattr(api, "read_api", lambda: {"moved": {"toy_old": entry}})
    yield new
    sys.modules.pop("canarygan_core.toy_old", None)
    vars(sys.modules["canarygan_core"]).pop("toy_old", None)
    assert entry["module"] == "toy_new", "what is read is kept as it is"


def test_an_old_name_leads_to_the_new_module_with_a_warning(moved):
    with pytest.warns(DeprecationWarning, match="is now") as told:
        old = importlib.import_module("canarygan_core.toy_old")
    assert [str(one.message) for one in told] == ["canarygan_core.toy_old is now toy_new. The old name goes in 0.3."]
    assert (old.value, old._private, old.former, old.far, old.present) == (1, 2, 3, 4, 3)
    assert old.__name__ == "canarygan_core.toy_old"
    assert not hasattr(old, "module")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert importlib.import_module("canarygan_core.toy_old") is old, "told once"


@pytest.mark.parametrize("name", ["canarygan_core.toy_gone", "canarygan_core.plugins.toy_old", "toy_old"])
def test_other_names_are_not_there(moved, name):
    with pytest.raises(ModuleNotFoundError, match=name):
        importlib.import_module(name)
    assert api.MovedModules().find_spec(name, None) is None


def test_what_was_moved_is_read_from_its_list():
    listed = api.read_api()
    assert "canarygan_core.plugins" in listed["public"]
    assert all("module" in entry for entry in listed["moved"].values())
    assert set(plugins.__all__) <= set(dir(plugins))


@pytest.mark.parametrize(
    ("stated", "requires"),
    [
        (None, ""),
        ([], ""),
        (["torch>=2"], ""),
        (["torch>=2", "canarygan>=1,<2"], "<2,>=1"),
        (["CanaryGAN[all] ~= 1.2"], "~=1.2"),
        (["canarygan"], ""),
        (["canarygan ; python_version > '3'", "canarygan>=3"], ">=3"),
        (["not a requirement !", "canarygan>=3"], ">=3"),
        (["canarygan-metrics>=9"], ""),
    ],
)
def test_the_versions_that_a_distribution_states(stated, requires):
    point = types.SimpleNamespace(dist=types.SimpleNamespace(requires=stated))
    assert api.find_requirement(point) == requires
    assert api.find_requirement(types.SimpleNamespace(dist=None)) == ""


@pytest.mark.parametrize(
    ("requires", "kernel", "fits"),
    [
        ("", "1.0", True),
        ("<2,>=1", "1.0", True),
        ("<2,>=1", "unknown", True),
        ("<2,>=1", "1.5.dev3", True),
        ("<2,>=1", "2.0", False),
        ("<2,>=1", "0.9", False),
    ],
)
def test_a_mismatch_says_what_to_install(requires, kernel, fits):
    told = (
        f"it was built for canarygan{requires}, and this is canarygan {kernel}: "
        f"pip install --upgrade canarygan-x, or else pip install 'canarygan{requires}'"
    )
    assert api.explain_mismatch("canarygan-x", requires, kernel) == ("" if fits else told)


def test_the_kernel_offers_its_tasks_and_datasets():
    """Every task of the kernel can be imported, says in a sentence what it does, and is listed once."""
    from canarygan_core.plugins import builtin

    tasks = builtin.register_tasks()
    assert [dataset.name for dataset in builtin.register_datasets()] == ["folder", "synthetic"]
    names = [task.name for task in tasks]
    assert len(set(names)) == len(names) >= 12
    assert {"train-gan", "sample", "generate", "decode", "score", "verify", "runs", "rerun", "clean"} <= set(names)
    for task in tasks:
        assert task.load().__name__ == task.name.replace("-", "_")
        assert task.summary[0].isupper()
        assert task.summary[1].islower()
        assert task.summary.endswith(".")
