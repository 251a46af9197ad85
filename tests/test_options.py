"""A stranger's plugin with an option of every type: from flags, a file and a manifest to the same component."""

import json

import pytest

PLUGIN = '''
import enum
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from canarygan_core import Dataset, Model, hookimpl


class Loudness(enum.Enum):
    SOFT = 1
    VERY_LOUD = 2


@dataclass(frozen=True)
class Window:
    """A window."""

    hop_length: int = 128
    """From one to the next, samples."""
    shape: Literal["hann", "box"] = "hann"
    """Its shape."""
    edges: tuple[float, ...] = (0.5,)
    """Its edges, s."""


@dataclass(frozen=True)
class Corner(Dataset):
    """Every type of option."""

    name: ClassVar[str] = "corner"

    count: int = 3
    """Clips, clips."""
    cut: float = 0.5
    """Cut-off, Hz."""
    loud: bool = False
    """Whether loud."""
    calm: bool = True
    """Whether calm."""
    title: str = "a"
    """Title."""
    place: Path = Path("here")
    """Folder."""
    level: Loudness = Loudness.SOFT
    """Level."""
    size: Literal["auto", 4096] = "auto"
    """Length, samples."""
    bands: tuple[int, ...] = (1, 2)
    """Bands, Hz."""
    words: tuple[str, ...] = ()
    """Words."""
    places: tuple[Path, ...] = ()
    """Folders."""
    levels: tuple[Loudness, ...] = ()
    """Levels."""
    pair: tuple[int, float] = (1, 2.0)
    """A pair, Hz."""
    limit: int | None = None
    """Limit, clips."""
    file: Path | None = None
    """File."""
    choice: Literal["x", "y"] | None = None
    """Choice."""
    window: Window = Window()
    """Window."""

    def load(self):
        import dataclasses

        from canarygan_core.testing import toy_clips

        return dataclasses.replace(toy_clips(2), origin={"fingerprint": repr(self)})


@dataclass(frozen=True)
class Deaf(Model):
    """Learns nothing."""

    name: ClassVar[str] = "deaf"

    def train(self, clips, run, *, training):
        pass

    @classmethod
    def load(cls, checkpoint, *, device="cpu"):
        raise NotImplementedError


@hookimpl
def register_datasets():
    return [Corner]


@hookimpl
def register_models():
    return [Deaf]
'''

FLAGS = [
    *("--count", "-5", "--cut", "1e-4", "--loud", "--no-calm", "--title", "a b = 'c'", "--place", "x/y z"),
    *("--level", "very-loud", "--size", "4096", "--bands", "7", "--bands", "8", "--words", "one", "--words", "two 2"),
    *("--places", "p", "--places", "q r", "--levels", "soft", "--levels", "very-loud", "--pair", "3", "4.5"),
    *("--limit", "9", "--file", "f.wav", "--choice", "y", "--window.hop-length", "64", "--window.shape", "box"),
    *("--window.edges", "0.25", "--window.edges", "0.75"),
]

FILE = """
count = -5
cut = 1e-4
loud = true
calm = false
title = "a b = 'c'"
place = "x/y z"
level = "very-loud"
size = 4096
bands = [7, 8]
words = ["one", "two 2"]
places = ["p", "q r"]
levels = ["soft", "very-loud"]
pair = [3, 4.5]
limit = 9
file = "f.wav"
choice = "y"

[window]
hop-length = 64
shape = "box"
edges = [0.25, 0.75]
"""

RECORD = {
    **{"count": -5, "cut": 1e-4, "loud": True, "calm": False, "title": "a b = 'c'", "place": "x/y z"},
    **{"level": "very-loud", "size": 4096, "bands": [7, 8], "words": ["one", "two 2"], "places": ["p", "q r"]},
    **{"levels": ["soft", "very-loud"], "pair": [3, 4.5], "limit": 9, "file": "f.wav", "choice": "y"},
    "window": {"hop_length": 64, "shape": "box", "edges": [0.25, 0.75]},
}

LOADED = (
    "Corner(count=-5, cut=0.0001, loud=True, calm=False, title=\"a b = 'c'\", place=PosixPath('x/y z'), "
    "level=<Loudness.VERY_LOUD: 2>, size=4096, bands=(7, 8), words=('one', 'two 2'), "
    "places=(PosixPath('p'), PosixPath('q r')), levels=(<Loudness.SOFT: 1>, <Loudness.VERY_LOUD: 2>), pair=(3, 4.5), "
    "limit=9, file=PosixPath('f.wav'), choice='y', window=Window(hop_length=64, shape='box', edges=(0.25, 0.75)))"
)


@pytest.fixture
def corner(site):
    site.install("corner", PLUGIN)
    return site


def trained(site, folder, *words):
    """The options and the origin of the dataset in the manifest of a training."""
    done = site.run("train-gan", "--model", "deaf", "--dataset", "corner", "-s", folder, *words)
    assert done.returncode == 0, done.stderr
    record = json.loads((site.folder / folder / "checkpoints" / "version_0" / "manifest.json").read_text())
    return record["options"]["dataset"], record["dataset"]["fingerprint"]


def test_an_option_of_every_type_comes_from_flags_a_file_and_a_manifest(corner):
    (corner.folder / "options.toml").write_text(FILE)
    by_flags = trained(corner, "one", *FLAGS)
    assert by_flags == ({"name": "corner", "options": RECORD}, LOADED)
    assert trained(corner, "two", "--config", "options.toml") == by_flags
    assert trained(corner, "one", "--resume") == by_flags
    over = trained(corner, "three", "--config", "options.toml", "--count", "6", "--window.shape", "hann")[0]["options"]
    assert (over["count"], over["window"]["shape"], over["window"]["hop_length"]) == (6, "hann", 64)


def test_an_option_of_every_type_comes_back_from_the_record(corner):
    source = f"""
import sys
from canarygan_core.testing import check_component
from plugin_corner import *
made = Corner(-5, 1e-4, True, False, "a b = 'c'", Path("x/y z"), Loudness.VERY_LOUD, 4096, (7, 8), ("one", "two 2"),
    (Path("p"), Path("q r")), (Loudness.SOFT, Loudness.VERY_LOUD), (3, 4.5), 9, Path("f.wav"), "y",
    Window(64, "box", (0.25, 0.75)))
assert repr(made) == {LOADED!r}, made
check_component(Corner)
check_component(Corner, **vars(made))
"""
    done = corner.run(program=("-c", source))
    assert done.returncode == 0, done.stderr


def test_every_type_is_told_in_words(corner):
    shown = json.loads(corner.run("plugins", "show", "corner", "--json").stdout)[1]["options"]
    told = {option["name"]: (option["type"], option["default"]) for option in shown}
    assert told["level"] == ("soft | very-loud", "soft")
    assert told["size"] == ("auto | 4096", "auto")
    assert told["bands"] == ("int, several", [1, 2])
    assert told["pair"] == ("int and float", [1, 2.0])
    assert told["file"] == ("path or none", None)
    assert told["window.hop-length"] == ("int", 128)
    assert told["loud"] == ("bool", False)
    assert len(told) == 19
