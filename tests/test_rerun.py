"""`rerun` of a chain of tasks on one machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("canarygan_wavegan")
pytest.importorskip("canarygan_decoders")
pytest.importorskip("canarygan_metrics")

REPEAT = Path(__file__).parent / "crash" / "repeat.py"


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_every_task_of_a_chain_leaves_equal_bytes_when_it_is_repeated():
    done = subprocess.run([sys.executable, REPEAT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = {one["task"]: one for one in map(json.loads, done.stdout.splitlines())}
    tasks = {"train-gan", "build-decoder-dataset", "train-decoders", "generate", "train-inception", "sample", "score"}
    assert told.keys() == tasks | {"umap"}
    for one in told.values():
        assert one["differences"] == {"bytes": [], "options": [], "versions": [], "data": []}
        assert one["same"] > 0
