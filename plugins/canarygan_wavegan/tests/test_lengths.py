"""The shortest length that holds the sound."""

from typing import Any

import numpy as np
import pytest
from canarygan_wavegan import train
from canarygan_wavegan.component import WaveGAN
from canarygan_wavegan.data import lengths

from canarygan_core.clips import Clips
from canarygan_core.lightning.training import Training


def clips(sound: int, noise: float = 0.0, samples: int = 16000) -> Clips:
    rng = np.random.default_rng(0)
    audio = noise * rng.normal(size=(20, samples))
    audio[:, :sound] += np.sin(np.arange(sound) * 0.7)
    return Clips(audio.astype(np.float32), 16000)


@pytest.mark.parametrize(("sound", "expected"), [(1500, 4096), (4000, 4096), (6000, 8192), (12000, 16384)])
@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_the_shortest_length_holds_the_sound_whatever_the_background(sound: int, expected: int, noise: float) -> None:
    assert lengths.choose_length(lengths.compute_shares(clips(sound, noise))) == expected


def test_long_sounds_take_the_longest() -> None:
    assert lengths.choose_length(lengths.compute_shares(clips(60000, samples=64000))) == 65536


def test_shares_grow_to_one() -> None:
    shares = lengths.compute_shares(clips(6000))
    assert list(shares.values()) == sorted(shares.values())
    assert shares[4096] == pytest.approx(4096 / 6000, abs=0.02)
    assert shares[16384] == pytest.approx(1)


def test_silent_clips_have_no_sound() -> None:
    assert lengths.compute_energy(np.zeros((2, 4096), np.float32)).sum() == 0


def test_many_clips_count_in_an_even_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    short, long = clips(2000), clips(12000)
    both = Clips(np.concatenate([short.audio, long.audio]), 16000)
    whole = lengths.compute_shares(both)
    monkeypatch.setattr(lengths, "MOST_CLIPS", len(both) // 2)
    assert lengths.compute_shares(both) == pytest.approx(whole, abs=0.05)
    assert lengths.choose_length(lengths.compute_shares(both)) == lengths.choose_length(whole)


def with_rare(count: int, sound: int, quiet: float = 1.0) -> Clips:
    """A thousand clips of class a of 2,000 samples, and a few of class b, of which all after 1,000 may be quiet."""
    audio = np.zeros((1000 + count, 20000), np.float32)
    tone = np.sin(np.arange(sound) * 0.7)
    audio[:1000, :2000], audio[1000:, :sound] = tone[:2000], tone
    audio[1000:, 1000:] *= quiet
    return Clips(audio, 16000, labels=np.array(["a"] * 1000 + ["b"] * count))


@pytest.mark.parametrize(("count", "quiet"), [(4, 1.0), (200, 0.06)], ids=["rare", "quiet"])
@pytest.mark.parametrize("noise", [0.0, 0.003])
def test_a_class_that_auto_cuts_in_half_is_named(count: int, quiet: float, noise: float) -> None:
    both = with_rare(count, 7900, quiet)
    both.audio[:] += noise * np.random.default_rng(0).standard_normal(both.audio.shape, np.float32)
    length = lengths.choose_length(lengths.compute_shares(both))
    assert length == 4096, "b weighs too little to be held"
    (cut,) = lengths.find_cut_classes(both, length)
    assert (cut.label, cut.clips, cut.cut, cut.enough) == ("b", count, count, 8192)
    assert cut.lost == pytest.approx(1 - 4096 / 7900, abs=0.02)
    assert str(cut) == f"class b: {count} of {count} clips (100%) lose 48% of their duration on average; 8192 hold it"
    assert lengths.find_cut_classes(both, 8192) == []


@pytest.mark.parametrize("slice_len", ["auto", 4096])
def test_the_training_warns_of_classes_that_it_cuts(slice_len: Any, caplog: pytest.LogCaptureFixture) -> None:
    both = with_rare(4, 7900)
    module = train.build_module(WaveGAN(dim=2, slice_len=slice_len), both, Training(accelerator="cpu"))
    train.log_sizes(module)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert f"4096 samples (--slice-len {slice_len}) cut sounds short" in warning
    assert "class b: 4 of 4 clips (100%) lose 48% of their duration on average; 8192 hold it" in warning


def test_a_class_that_no_length_holds_says_so() -> None:
    (cut,) = lengths.find_cut_classes(clips(79000, samples=80000), 4096)
    assert (cut.label, cut.enough) == ("", None)
    assert str(cut).startswith("the set: 20 of 20 clips (100%)")
    assert str(cut).endswith("not even 65536 hold it")


def test_noise_between_two_notes_does_not_outweigh_the_second() -> None:
    rng = np.random.default_rng(0)
    audio = 0.08 * rng.standard_normal((1, 16384)).astype(np.float32)
    audio[0, :3200] += np.sin(np.arange(3200, dtype=np.float32))
    audio[0, 8000:9000] += 0.18 * np.sin(np.arange(1000, dtype=np.float32))
    energy = lengths.compute_energy(audio)[0]
    second = energy[8000 // lengths.FRAME : 9000 // lengths.FRAME].mean()
    between = energy[3264 // lengths.FRAME : 8000 // lengths.FRAME].mean()
    assert between < second / 3
