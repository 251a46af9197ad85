"""Bugs planted in components and in entry modules: the contract suite names each of them.

Those of `test_testing`, `test_contracts` and `test_model_contract` are of the classes, the promises of each kind, and
models. These are the ones that are easy to miss: they work, until somebody else's files, clips or process meet them.
"""

import functools
import gzip
import os
import random
from collections import OrderedDict

import numpy as np
import pytest
import test_contracts
import test_model_contract
import test_testing
from planted.datasets import DATASETS
from planted.decoders import DECODERS
from planted.metrics import METRICS
from planted.models import MODELS
from planted.projectors import PROJECTORS
from planted.traces import TRACES, scoring
from specimens import Level, Nearest, Net, Principal, Toy, broken

from canarygan_core.testing import check_cheap_import, check_component, component
from canarygan_core.testing.stored import find_objects
from canarygan_core.testing.units import tells_unit

BASES = {
    "dataset": (Toy, {case: ({"load": load}, told) for case, (load, told) in DATASETS.items()}),
    "metric": (Level, METRICS),
    "decoder": (Nearest, DECODERS),
    "projector": (Principal, PROJECTORS),
    "model": (Net, MODELS),
}
BUGS = TRACES | {
    f"{kind}: {case}": (functools.partial(broken, base, **changed), told)
    for kind, (base, cases) in BASES.items()
    for case, (changed, told) in cases.items()
}


@pytest.mark.parametrize("case", BUGS)
def test_planted_bugs_are_named(case, monkeypatch):
    monkeypatch.setenv("HOME", os.environ.get("HOME", "/"))
    make, told = BUGS[case]
    state = random.getstate()
    with pytest.raises(AssertionError, match=told):
        check_component(make())
    random.setstate(state)


def test_seeding_torch_is_named():
    torch = pytest.importorskip("torch")
    before = torch.initial_seed()
    try:
        with pytest.raises(AssertionError, match="changes the seed of torch"):
            check_component(scoring(lambda: torch.manual_seed(before + 1))())
    finally:
        torch.manual_seed(before)


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("Lowest level told.", False),
        ("Sharpness.", False),
        ("Lowest level told, dB.", True),
        ("Hop between two windows, samples.", True),
        ("Share of clips to hold out.", True),
        ("Seed of the draws.", True),
        ("How many clips.", True),
        ("Learning rate.", True),
        ("Sharpness of the odds, per metre.", True),
        ("Sharpness, which you may well want to change", False),
    ],
)
def test_help_of_a_number_tells_its_unit(text, tells):
    assert tells_unit(text) is tells


IMPORTS = {
    "prints": ("print('hello')", "prints when it is imported"),
    "threads": ("import threading as t; t.Thread(target=t.Event().wait, daemon=True).start()", "starts threads"),
    "environment": ("import os; os.environ['OMP_NUM_THREADS'] = '7'", "changes the environment"),
    "logging": ("import logging; logging.basicConfig()", "configures the root logger"),
    "directory": ("import os; os.chdir('/')", "changes the working directory"),
    "two": ("print(1); import logging; logging.basicConfig()", "prints and configures the root logger"),
}


@pytest.mark.parametrize("case", IMPORTS)
def test_entry_modules_that_change_what_imports_them(tmp_path, monkeypatch, case):
    line, told = IMPORTS[case]
    (tmp_path / "planted_module.py").write_text(f"{line}\n{test_testing.PLUGIN}")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AssertionError, match=told):
        check_cheap_import("planted_module")


def test_an_entry_module_that_takes_long_is_named(tmp_path, monkeypatch):
    (tmp_path / "planted_module.py").write_text(test_testing.PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    check_cheap_import("planted_module")
    monkeypatch.setattr(component, "SLOW", 0.0)
    with pytest.raises(AssertionError, match=r"takes \d+\.\d s to import: import what takes long"):
        check_cheap_import("planted_module")


def test_what_is_no_pickle_passes():
    torch = pytest.importorskip("torch")
    import io

    stream = io.BytesIO()
    torch.save({"weight": torch.zeros(3), "order": OrderedDict(a=torch.ones(1))}, stream)
    array = io.BytesIO()
    np.savez(array, x=np.zeros(3), names=np.array(["a", "b"]))
    for sound in (stream.getvalue(), array.getvalue(), b'{"a": 1}', b"a,b\n1,2\n", b"", b".", b"N.", bytes(range(256))):
        assert find_objects(sound) == ""
    assert find_objects(gzip.compress(gzip.compress(b"{}"))) == ""


def test_at_least_eighty_kinds_of_bugs_are_planted():
    """Each case of these lists is a bug of a kind of its own, which the suite names."""
    lists = [BUGS, IMPORTS, test_testing.CLASSES, test_contracts.BEHAVIOUR, test_model_contract.MODELS]
    assert sum(map(len, lists)) >= 95
