"""Some of the damaged, odd and misnamed files that benchmarks/fuzz_reading.py makes, at every door that reads."""

import importlib.util
from collections import Counter
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "fuzz_reading.py"


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz_reading", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("first", range(0, 500, 100))
def test_nothing_but_errors_for_people_comes_out_of_any_door(fuzz, tmp_path, first):
    bases, counts = fuzz.make_bases(), Counter()
    made = [fuzz.make_input(tmp_path / "data" / f"class_{seed % 5}", seed, bases) for seed in range(first, first + 100)]
    assert fuzz.try_doors(tmp_path / "data", made, counts) == []
    assert counts["usable"] > 10
    assert counts["damaged"] + counts["truncated"] + counts["not-audio"] > 10
