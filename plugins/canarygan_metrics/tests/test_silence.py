from collections.abc import Iterator

import numpy as np
import pytest
import torch
from canarygan_metrics.classifier.network import Network
from canarygan_metrics.classifier.silence import TOGETHER, SilenceShortcut, sounding_frames
from canarygan_metrics.classifier.spectrogram import Spectrogram, spectrogram
from torch.utils.flop_counter import FlopCounterMode


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def network(sizes: Spectrogram) -> Network:
    """A network that has seen something: no norm of it does nothing."""
    made = Network(sizes.n_mels, sizes.frames, 5)
    chance = torch.Generator().manual_seed(0)
    for norm in made.norms:
        for part, low, high in ((norm.running_mean, -1, 1), (norm.running_var, 0.5, 2), (norm.weight, 0.5, 2)):
            part.uniform_(low, high, generator=chance)
        norm.bias.uniform_(-1, 1, generator=chance)
    return made.eval()


def sounds(lengths: list[int], samples: int) -> torch.Tensor:
    """White noise of so many samples each, and zeros after it."""
    audio = torch.randn(len(lengths), samples, generator=torch.Generator().manual_seed(1))
    return audio * (torch.arange(samples) < torch.tensor(lengths)[:, None])


@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize("samples", [2048, 4096, 16000])
def test_sounds_that_end_early_are_classified_like_all_others(scale, samples: int) -> None:
    sizes = Spectrogram(scale=scale, samples=samples)
    plain_network = network(sizes)
    shortcut = SilenceShortcut(plain_network, sizes.n_mels, sizes.frames)
    lengths = [0, 1, 700, *range(129, samples, samples // 9), samples]
    for length in lengths:
        seen = spectrogram(sounds([length], samples), sizes)
        for ours, plain in zip(shortcut(seen), plain_network(seen), strict=True):
            torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-5)


def test_a_short_sound_costs_little() -> None:
    sizes = Spectrogram()
    shortcut = SilenceShortcut(network(sizes), sizes.n_mels, sizes.frames)
    work = {}
    for length in (1600, 16000):
        with FlopCounterMode(display=False) as counted:
            shortcut(spectrogram(sounds([length], 16000), sizes))
        work[length] = counted.get_total_flops()
    assert work[1600] < 0.25 * work[16000]


def test_sounds_of_all_lengths_are_returned_in_their_order_and_computed_with_their_like() -> None:
    sizes = Spectrogram()
    plain_network = network(sizes)
    shortcut = SilenceShortcut(plain_network, sizes.n_mels, sizes.frames)
    lengths = np.random.default_rng(0).permutation([1600] * TOGETHER + [16000] * 3).tolist()
    seen = spectrogram(sounds(lengths, 16000), sizes)
    with FlopCounterMode(display=False) as counted:
        ours = shortcut(seen)
    with FlopCounterMode(display=False) as all_counted:
        plain = plain_network(seen)
    for one, other in zip(ours, plain, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert counted.get_total_flops() < 0.3 * all_counted.get_total_flops()


def test_the_end_is_after_the_last_frame_that_is_not_silent() -> None:
    seen = torch.zeros(3, 4, 6)
    seen[0, 2, 4] = 0.1
    seen[1, 0, 0] = 1
    assert sounding_frames(seen).tolist() == [5, 1, 0]
