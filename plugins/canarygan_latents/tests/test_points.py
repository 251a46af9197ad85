"""Ends of bridges, as they are given."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from canarygan_latents.opening import Opened
from canarygan_latents.stimuli.points import Reader

from canarygan_core.errors import CanaryganError, UsageError


def make_reader(dim: int) -> Reader:
    generator: Any = SimpleNamespace(latent_dim=dim)
    return Reader(Opened(generator, Path("a.ckpt"), "", "0"), [], 0)


def test_a_latent_may_be_longer_than_the_name_of_a_file() -> None:
    wanted = np.random.default_rng(0).uniform(-1, 1, 100).astype(np.float32)
    (point,) = make_reader(100).read([",".join(map(str, wanted.tolist()))])
    np.testing.assert_array_equal(point.latent, wanted)
    assert len(point.name) <= 40


@pytest.mark.parametrize("word", ["a" * 300, "a" * 300 + ".wav", "z.npy:" + "9" * 5000, "a" * 300 + ":1", "a\0.wav"])
def test_a_word_that_is_no_file_is_told(word: str) -> None:
    with pytest.raises(CanaryganError):
        make_reader(3).read([word])


def make_labelling(monkeypatch: pytest.MonkeyPatch, dim: int) -> Reader:
    """A reader with a decoder of the classes 3, 7 and lost, of which there is no sound."""
    ends = {"3": np.full(dim, -1, np.float32), "7": np.full(dim, 1, np.float32)}
    monkeypatch.setattr(Reader, "_search", lambda self: {label: (0.9, latent) for label, latent in ends.items()})
    reader = make_reader(dim)
    reader.trained = cast("Any", [SimpleNamespace(classes=("3", "7", "lost"), garbage=())])
    return reader


def test_a_class_may_be_called_by_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    three, seven, latent = make_labelling(monkeypatch, 2).read(["3", "7", "3,7"])
    assert [one.latent.tolist() for one in (three, seven, latent)] == [[-1, -1], [1, 1], [3, 7]]
    with pytest.raises(UsageError, match="5: this checkpoint wants 2 finite numbers"):
        make_labelling(monkeypatch, 2).read(["5"])
    assert make_labelling(monkeypatch, 1).read(["3"])[0].latent.tolist() == [3]


def test_a_sound_that_is_not_there_is_no_label(monkeypatch: pytest.MonkeyPatch) -> None:
    for reader in (make_reader(3), make_labelling(monkeypatch, 3)):
        with pytest.raises(CanaryganError, match=r"There is no sound file song\.wav"):
            reader.read(["song.wav"])


def test_all_words_are_understood_before_a_label_is_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, searched = make_labelling(monkeypatch, 3), []
    search = Reader._search
    monkeypatch.setattr(Reader, "_search", lambda self: searched.append(1) or search(self))
    with pytest.raises(CanaryganError, match="know no class 'none'"):
        reader.read_pairs([("3", "7"), ("3", "none")])
    assert not searched
    reader.read_pairs([("3", "7"), ("7", "3")])
    assert searched == [1]
    with pytest.raises(CanaryganError, match="lost has no region in the latent space"):
        reader.read(["7", "lost"])


def test_points_are_called_as_they_were_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reader = make_labelling(monkeypatch, 2)
    reader.trained = cast("Any", [SimpleNamespace(classes=("a.1", "a.2", "b/c d"), garbage=())])
    monkeypatch.setattr(Reader, "_search", lambda self: dict.fromkeys(("a.1", "a.2", "b/c d"), (1.0, np.zeros(2))))
    assert [one.name for one in reader.read(["a.1", "a.2", "b/c d", "-1,0.5"])] == ["a.1", "a.2", "b/c d", "-1,0.5"]
    path = tmp_path / ("z" * 60 + ".npy")
    np.save(path, np.zeros((3, 2), np.float32))
    (point,) = reader.read([f"{path}:2"])
    assert point.name.startswith("...zzz")
    assert point.name.endswith("z.npy:2")
    assert len(point.name) == 40
