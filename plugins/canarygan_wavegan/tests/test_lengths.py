"""The shortest length that holds the sound."""

import numpy as np
import pytest
from canarygan_wavegan.data import lengths

from canarygan_core.clips import Clips


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


def test_noise_between_two_notes_does_not_outweigh_the_second() -> None:
    rng = np.random.default_rng(0)
    audio = 0.08 * rng.standard_normal((1, 16384)).astype(np.float32)
    audio[0, :3200] += np.sin(np.arange(3200, dtype=np.float32))
    audio[0, 8000:9000] += 0.18 * np.sin(np.arange(1000, dtype=np.float32))
    energy = lengths.compute_energy(audio)[0]
    second = energy[8000 // lengths.FRAME : 9000 // lengths.FRAME].mean()
    between = energy[3264 // lengths.FRAME : 8000 // lengths.FRAME].mean()
    assert between < second / 3
