"""Ends of bridges, as they are given."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from canarygan_latents.opening import Opened
from canarygan_latents.stimuli import points
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


class Numbering:
    """A decoder whose classes are numbers, and whose class is the sign of a sound's mean."""

    classes, garbage = ("3", "7"), ()


def make_numbering(monkeypatch: pytest.MonkeyPatch, dim: int) -> Reader:
    def judge(sounds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        value = sounds[:, 0]
        return np.where(value < 0, "3", "7"), np.abs(value), np.abs(value)

    monkeypatch.setattr(points, "make_judge", lambda trained, rate: judge)
    generator: Any = SimpleNamespace(latent_dim=dim, rate=16000, generate=lambda z: z)
    trained: Any = [Numbering()]
    return Reader(Opened(generator, Path("a.ckpt"), "", "0"), trained, 0)


def test_a_class_may_be_called_by_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    three, seven, latent = make_numbering(monkeypatch, 2).read(["3", "7", "3,7"])
    assert three.latent[0] < -0.9
    assert seven.latent[0] > 0.9
    assert latent.latent.tolist() == [3, 7]
    with pytest.raises(UsageError, match="5: this checkpoint wants 2 finite numbers"):
        make_numbering(monkeypatch, 2).read(["5"])
    assert make_numbering(monkeypatch, 1).read(["3"])[0].latent.tolist() == [3]


def test_a_sound_that_is_not_there_is_no_label(monkeypatch: pytest.MonkeyPatch) -> None:
    for reader in (make_reader(3), make_numbering(monkeypatch, 3)):
        with pytest.raises(CanaryganError, match=r"There is no sound file song\.wav"):
            reader.read(["song.wav"])
