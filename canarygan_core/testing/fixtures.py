"""Fixtures for the tests of a plugin: `pytest_plugins = ["canarygan_core.testing.fixtures"]` in a test file."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from canarygan_core import audio
from canarygan_core.clips import Clips
from canarygan_core.testing.toys import toy_clips as make_toy_clips


@pytest.fixture
def toy_clips() -> Clips:
    """24 clips of 3 classes, s0 to s2, 4096 samples each at 16 kHz; see `canarygan_core.testing.toy_clips`."""
    return make_toy_clips(24, classes=3)


@pytest.fixture
def toy_folder(tmp_path: Path, toy_clips: Clips) -> Path:
    """The same as a folder of WAV files, one folder a class."""
    folder = tmp_path / "toys"
    assert toy_clips.sources is not None
    for sound, source in zip(toy_clips.audio, toy_clips.sources, strict=True):
        audio.write(folder / str(source), sound, toy_clips.rate)
    return folder


@pytest.fixture
def canarygan(tmp_path: Path) -> Callable[..., Any]:
    """A function that runs a command in a folder of its own and gives its answer, as `--json` tells it.

    canarygan("train-gan", "--model", "mine", "-d", toy_folder)
    """

    def run(*words: object) -> Any:
        command = [sys.executable, "-m", "canarygan_core", *map(str, words), "--json"]
        env = {**os.environ, "CANARYGAN_CACHE": str(tmp_path / "cache")}
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    return run
