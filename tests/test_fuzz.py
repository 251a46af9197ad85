"""Some of the damaged, odd and misnamed files that tests/fuzz makes; `nox -s fuzz` has the rest."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from fuzz import sounds

HERE = Path(__file__).parent


@pytest.mark.parametrize("first", range(0, 500, 100))
def test_nothing_but_errors_for_people_comes_out_of_any_door(tmp_path, first):
    bases, counts = sounds.make_bases(), Counter()
    made = [
        sounds.make_input(tmp_path / "data" / f"class_{seed % 5}", seed, bases) for seed in range(first, first + 100)
    ]
    assert sounds.try_doors(tmp_path / "data", made, counts) == []
    assert counts["usable"] > 10
    assert counts["damaged"] + counts["truncated"] + counts["not-audio"] > 10


def test_damaged_records_archives_and_checkpoints_are_refused(tmp_path):
    words = ["--mutations", "900", "--processes", "1"]
    command = [sys.executable, "-m", "fuzz.run", *words]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failures" in done.stdout
