from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from canarygan_core import audio
from canarygan_core.cli import main
from canarygan_core.testing import toy_clips

LEARNT = ("--seconds", "0.128", "--batch-size", "8", "--seed", "1")
"""Options with which the toy clips are learnt in seconds."""


@dataclass(frozen=True)
class Toys:
    """Three easy classes, and a classifier of them.

    Attributes:
        data: a folder of 16 clips a class.
        classifier: the folder of runs of train-inception.
    """

    data: Path
    classifier: Path


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toys]:
    folder = tmp_path_factory.mktemp("toys")
    clips = toy_clips(48, classes=3, samples=2048)
    for source, sound in zip(clips.sources, clips.audio, strict=True):
        audio.write(folder / "data" / source, sound, clips.rate)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANARYGAN_CACHE", str(folder / "cache"))
        words = ["train-inception", "-d", str(folder / "data"), "-s", str(folder / "inception"), "--max-epochs", "8"]
        assert main.main([*words, *LEARNT, "-q"]) == 0
        yield Toys(folder / "data", folder / "inception")
