import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canarygan_core import CanaryganError
from canarygan_core.testing import check_cheap_import, check_component

from canarygan_vae import VAE

pytest_plugins = ["canarygan_core.testing.fixtures"]


def test_contract() -> None:
    check_component(VAE, width=2, slice_len=1024)
    check_cheap_import("canarygan_vae")


def test_it_learns_and_its_sounds_can_be_used(canarygan: Any, toy_folder: Path, tmp_path: Path) -> None:
    words = ("--model", "vae", "--width", "4", "--max-epochs", "20", "--batch-size", "12", "--log-every-n-steps", "1")
    run = canarygan("train-gan", *words, "-d", toy_folder)
    log = np.genfromtxt(tmp_path / "runs/logs/csv/version_0/metrics.csv", delimiter=",", names=True)
    assert log["spectrum"][-1] < 0.8 * log["spectrum"][0]
    assert {path.name for path in Path(tmp_path, run["previews"]).iterdir()} >= {"curves.png", "epoch_15-step_30.wav"}
    assert canarygan("generate", "-x", "runs", "-n", "4")["shape"] == [4, 4096]
    assert "result" in json.loads((tmp_path / run["manifest"]).read_text())


def test_sizes_that_cannot_work_are_refused() -> None:
    with pytest.raises(CanaryganError, match="multiple of 256"):
        VAE(slice_len=1000)
