"""Each test has a seed of its own, nothing is drawn before a test starts, and the list of slow tests is true."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DRAWING = """
import random
import numpy as np
import pytest

@pytest.fixture(scope="module")
def shared():
    return random.random()

def numbers(name, *others):
    print(name, random.random(), np.random.random(), *others)

def test_one(): numbers("one")
def test_other(shared): numbers("other", shared)
def test_last(shared): numbers("last", shared)
"""
EARLY = {
    "random": ("import random\nrandom.random()\n", "random.random is called before any test starts"),
    "numpy": ("import numpy as np\nnp.random.normal()\n", "numpy.random.normal is called before any test starts"),
    "unseeded": ("from numpy import random\nrandom.default_rng()\n", r"default_rng\(\) is called before any test"),
    "seeded": ("import numpy as np\nnp.random.default_rng(0).normal()\n", None),
    "parameters": (
        "import pytest, random\n@pytest.mark.parametrize('x', [random.random()])\ndef test_x(x): pass\n",
        "test_it.py:2",
    ),
}


@pytest.fixture
def run(tmp_path):
    """A function that runs a file of tests beside the shared conftest.py and gives exit code and output."""
    shutil.copy(ROOT / "conftest.py", tmp_path)

    def runs(source, *words):
        (tmp_path / "test_it.py").write_text(source + "\n\ndef test_nothing(): pass\n", encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-s", "-q", "-p", "no:cacheprovider", "--rootdir", ".", *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=120, check=False
        )
        return done.returncode, done.stdout

    return runs


def test_what_a_test_draws_depends_on_its_name_and_the_seed_alone(run):
    def drawn(*words):
        code, output = run(DRAWING, *words)
        assert code == 0, output
        return dict(re.findall(r"(one|other|last) ([\d. e-]+)", output))

    whole, alone, other = drawn(), drawn("-k", "last"), drawn("--seed", "1")
    assert alone["last"].split() == whole["last"].split()
    assert whole["other"].split()[-1] == whole["last"].split()[-1]
    values = [value for line in (whole["one"], whole["other"], *other.values()) for value in line.split()]
    assert len(values) - len(set(values)) == 1, "the shared fixture's number is there twice, all others once"


@pytest.mark.parametrize(("source", "message"), EARLY.values(), ids=EARLY)
def test_nothing_is_drawn_before_a_test_starts(run, source, message):
    code, output = run(source)
    assert (code == 0) == (message is None), output
    assert message is None or re.search(message, output)


def test_layers_are_not_made_before_a_test_starts(run):
    pytest.importorskip("torch")
    code, output = run("import torch\n\nLAYER = torch.nn.Linear(2, 2)\n", "-p", "torch")
    assert code != 0
    assert "test_it.py draws by torch before any test starts" in output


def test_slow_tests_exist():
    """A slow test that gets another name must not turn up among the quick ones."""
    source = ast.parse((ROOT / "conftest.py").read_text(encoding="utf-8"))
    (slow,) = (
        ast.literal_eval(node.value)
        for node in source.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SLOW"
    )
    files = [*ROOT.glob("tests/test_*.py"), *ROOT.glob("plugins/*/tests/test_*.py")]
    functions = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8"))}
    assert {name.partition("[")[0] for name in slow} <= functions | {file.stem for file in files}
