import numpy as np
import pytest
import torch
import torchaudio
from canarygan_metrics.classifier.network import Network, max_pool
from canarygan_metrics.classifier.spectrogram import RANGE, Spectrogram, levels, spectrogram

from canarygan_core.clips import Clips
from canarygan_core.testing import toy_clips

SIZES = Spectrogram()


def test_power_is_that_of_torchaudio() -> None:
    sound = torch.from_numpy(toy_clips(3, samples=16000).audio)
    sound = sound / sound.abs().amax(1, keepdim=True)
    theirs = torchaudio.transforms.MelSpectrogram(
        16000, n_fft=1024, hop_length=128, n_mels=128, f_min=40, f_max=7800, pad_mode="constant", power=2
    )(sound)
    window = torch.hann_window(1024).sum()
    ours = spectrogram(sound, Spectrogram(scale="linear"))
    assert ours.shape == (3, 128, 126)
    torch.testing.assert_close(ours, theirs / window**2, rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_nothing_depends_on_level(scale) -> None:
    clips = toy_clips(4, samples=8000)
    quiet = Clips(clips.audio * np.float32(0.01), clips.rate)
    sizes = Spectrogram(scale=scale)
    torch.testing.assert_close(sizes.of(quiet), sizes.of(clips), rtol=1e-4, atol=1e-5)


def test_levels_reach_from_the_floor_to_the_loudest() -> None:
    power = torch.tensor([1.0, 0.1, 10 ** (-RANGE / 10), 1e-12, 0.0]).view(1, 5, 1) * 7
    torch.testing.assert_close(levels(power).flatten(), torch.tensor([1.0, 1 - 10 / RANGE, 0, 0, 0]), atol=1e-5, rtol=0)


def test_silence_is_dark_and_a_short_clip_is_padded() -> None:
    silent = Clips(np.zeros((2, 100), np.float32), 16000)
    assert not SIZES.of(silent).any()
    clips = toy_clips(2, samples=4000)
    padded = Clips(np.pad(clips.audio, ((0, 0), (0, 12000))), 16000)
    torch.testing.assert_close(SIZES.of(clips), SIZES.of(padded))


def test_other_rates_are_resampled() -> None:
    clips = toy_clips(2, samples=32000, rate=32000, classes=2)
    assert SIZES.of(clips).shape == (2, 128, 126)
    loudest = SIZES.of(clips).mean(2).argmax(1)
    same_pitch = toy_clips(2, samples=16000, rate=16000, classes=2)
    slow = Clips(same_pitch.audio, 16000)
    assert (loudest > SIZES.of(slow).mean(2).argmax(1)).all()  # pitches of toy clips scale with their rate


def test_the_network_is_the_published_one() -> None:
    network = Network(128, 126, 9).eval()
    x = torch.rand(3, 128, 126)
    plain = x[:, None]
    for norm, convolution in zip(network.norms, network.convolutions, strict=False):
        plain = torch.max_pool2d(torch.relu(convolution(norm(plain))), 2)
    plain = network.norms[-1](plain)
    with torch.no_grad():
        embedding, logits = network(x)
    assert plain.shape == (3, 128, 8, 7)
    torch.testing.assert_close(embedding, plain.mean((2, 3)), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(logits, network.linear(plain.flatten(1)), atol=1e-5, rtol=1e-4)
    assert [layer.kernel_size for layer in network.convolutions] == [(5, 5)] * 4


@pytest.mark.parametrize("size", [(4, 6), (5, 7), (2, 3)])
def test_halving_is_max_pooling_with_and_without_gradients(size) -> None:
    x = torch.randn(2, 3, *size)
    pooled = torch.max_pool2d(x, 2)
    torch.testing.assert_close(max_pool(x), pooled)
    torch.testing.assert_close(max_pool(x.requires_grad_()), pooled)
