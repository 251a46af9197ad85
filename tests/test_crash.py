"""A short version of `nox -s crash`: some tasks, each killed at a few moments."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("canarygan_wavegan")
pytest.importorskip("canarygan_metrics")

RUN = Path(__file__).parent / "crash" / "run.py"


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_tasks_that_are_killed_leave_nothing_half_written_and_their_next_command_heals():
    words = ["--kills", "4", "--only", "sample --overwrite", "write-dataset", "build-decoder-dataset", "train-gan"]
    done = subprocess.run([sys.executable, RUN, *words], env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.fullmatch(r"(\d+) kills and (\d+) faults: 0 problems\.", done.stdout.splitlines()[-1])
    assert told, done.stdout
    assert int(told[1]) >= 10
    assert int(told[2]) >= 4
