import dataclasses
from collections.abc import Callable

import librosa
import numpy as np
import pytest
import scipy.fft
import scipy.signal
import torch
import yaml
from canarygan_decoders.features import Features, extraction
from canarygan_decoders.features.config_file import read_config, write_config
from canarygan_decoders.features.extraction import extract
from canarygan_decoders.features.options import KINDS

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError


def chirp() -> np.ndarray:
    """A tenth of a second from 2 to 5 kHz in a second of silence, quiet, 16 kHz."""
    time = np.arange(1600) / 16000
    sound = np.zeros(16000, np.float32)
    sound[160:1760] = 0.05 * np.hanning(1600) * np.sin(2 * np.pi * (2000 * time + 15000 * time**2))
    return sound


def noise() -> np.ndarray:
    return 0.1 * np.random.default_rng(3).standard_normal(16000, np.float32)


def reference(sound: np.ndarray, parameters: Features) -> np.ndarray:
    """The same by scipy and librosa, float64."""
    sound = sound.astype(np.float64) / np.abs(sound).max()
    if parameters.features == "mfcc-classic":
        result = librosa.feature.mfcc(
            y=sound,
            sr=16000,
            n_mfcc=parameters.n_mfcc,
            lifter=parameters.lifter,
            n_fft=512,
            win_length=256,
            hop_length=128,
            fmin=500,
            fmax=8000,
        )
    else:
        result = scipy.signal.spectrogram(
            sound,
            16000,
            "hann",
            256,
            128,
            512,
            detrend="constant" if parameters.detrend else False,
            scaling="spectrum",
            mode="magnitude",
        )[2]
        result = np.log10(result / 1e-4 + 1) / np.log10(1 / 1e-4 + 1)
        if parameters.features in ("mel", "deltas"):
            result = librosa.feature.melspectrogram(S=result, sr=16000, n_mels=128)
        if parameters.features == "deltas":
            result = librosa.feature.mfcc(S=result, n_mfcc=parameters.n_mfcc, lifter=parameters.lifter)
    if parameters.has_derivatives:
        mode = parameters.padding
        parts = [librosa.feature.delta(result, width=9, order=order, mode=mode) for order in (1, 2)]
        result = np.vstack([result, *parts] if parameters.mfcc else parts)
    return result.T


def humming() -> np.ndarray:
    """The chirp with a hum and an offset of a fifth of its peak, nowhere silent."""
    hum = 0.01 * (1 + np.sin(2 * np.pi * 60 * np.arange(16000) / 16000))
    return chirp() + hum.astype(np.float32)


@pytest.mark.parametrize("make_sound", [chirp, noise, humming])
@pytest.mark.parametrize(
    "parameters",
    [
        Features(align=False),
        Features(align=False, detrend=False),
        Features(align=False, mfcc=True, n_mfcc=20, lifter=22, padding="nearest"),
        Features(align=False, features="spec"),
        Features(align=False, features="spec", detrend=False),
        Features(align=False, features="mel"),
        Features(align=False, features="mfcc-classic"),
        Features(align=False, features="mfcc-classic", mfcc=True, lifter=22, padding="mirror"),
    ],
    ids=lambda parameters: f"{parameters.features}-{parameters.padding}-{parameters.detrend}",
)
def test_agrees_with_scipy_and_librosa(make_sound: Callable[[], np.ndarray], parameters: Features) -> None:
    sound = make_sound()
    result = extract(Clips(sound[None], 16000), parameters)[0]
    expected = reference(sound, parameters)
    assert result.shape == expected.shape == parameters.shape
    for start in range(0, parameters.size, 13) if parameters.has_derivatives else [0]:
        block = slice(start, start + 13) if parameters.has_derivatives else slice(None)
        np.testing.assert_allclose(
            result[:, block], expected[:, block], rtol=0, atol=1e-4 * np.abs(expected[:, block]).max()
        )


def test_aligned_features_do_not_depend_on_where_a_clip_was_cut() -> None:
    sound = np.zeros(16000, np.float32)
    sound[400:2000] = 0.3 * chirp()[:1600] * np.hanning(1600)
    later = np.roll(sound, 640)
    together = extract(Clips(np.stack([sound, later]), 16000), Features())
    np.testing.assert_allclose(together[0], together[1], atol=1e-6)
    apart = extract(Clips(np.stack([sound, later]), 16000), Features(align=False))
    assert np.abs(apart[0] - apart[1]).max() > 0.005


def test_parameters_from_before_alignment_align_nothing() -> None:
    assert not Features.from_record({"n_mfcc": 13}, "old").align
    assert Features.from_record({"align": True}, "new").align


@pytest.mark.parametrize("rate", [16000, 11025])
def test_matrices_are_those_of_librosa_and_scipy_in_double_precision(rate: int) -> None:
    parameters = Features(sampling_rate=rate, lifter=0)
    bands, cosines = extraction._mel_bands(parameters), extraction._cosines(parameters)
    theirs = librosa.filters.mel(sr=rate, n_fft=512, n_mels=128, dtype=np.float64)
    np.testing.assert_allclose(bands.numpy(), theirs.T, rtol=0, atol=1e-12)
    np.testing.assert_allclose(cosines.numpy(), scipy.fft.dct(np.eye(128), norm="ortho")[:, :13], rtol=0, atol=1e-12)
    assert torch.get_default_dtype() is torch.float32


@pytest.mark.parametrize("kind", KINDS)
def test_does_not_depend_on_level_or_batch(kind: str) -> None:
    parameters = Features(features=kind)
    sounds = np.stack([chirp(), noise(), chirp()[::-1], noise()])
    sounds *= np.float32([1, 1, 0.01, 3])[:, None]
    together = extract(Clips(sounds, 16000), parameters)
    louder = extract(Clips(sounds * np.float32(4), 16000), parameters)
    alone = np.concatenate([extract(Clips(sound[None], 16000), parameters) for sound in sounds[::-1]])[::-1]
    scale = np.abs(together).max()
    np.testing.assert_allclose(louder, together, atol=1e-5 * scale)
    np.testing.assert_allclose(alone, together, atol=1e-5 * scale)


def test_level_is_kept_on_request() -> None:
    parameters = Features(features="spec", norm_audio=False)
    quiet, loud = extract(Clips(np.stack([chirp(), 10 * chirp()]), 16000), parameters)
    assert loud.max() > quiet.max() + 0.1


def test_brings_clips_to_rate_and_length() -> None:
    time = np.arange(32000) / 32000
    high = (np.hanning(32000) * np.sin(2 * np.pi * 3000 * time)).astype(np.float32)
    low = np.ascontiguousarray(high[::2])
    parameters = Features(features="mel", max_length=0.5)
    result = extract(Clips(high[None], 32000), parameters)
    np.testing.assert_allclose(result, extract(Clips(low[None], 16000), parameters), atol=2e-3)
    assert extract(Clips(low[None, :100], 16000), parameters).shape == (1, *parameters.shape)


def test_silence_is_zero_and_finite() -> None:
    assert not extract(Clips(np.zeros((1, 16000), np.float32), 16000), Features()).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": "detlas"}, "Did you mean deltas?"),
        ({"n_mfcc": 200}, "at most --n-mels, 128"),
        ({"n_fft": 128}, "at least --win-length, 256"),
        ({"max_length": 0.05}, "derivatives need 9"),
        ({"max_length": float("nan")}, "--max-length"),
        ({"features": "mfcc-classic", "fmax": 9000}, "half the sampling rate"),
        ({"hop_length": 0}, "--hop-length must be at least 1"),
        ({"lifter": -1}, "--lifter"),
        ({"sampling_rate": 10}, "1000 to 768000"),
    ],
)
def test_refuses_parameters_out_of_range(options: dict, message: str) -> None:
    with pytest.raises(CanaryganError, match=message.replace("?", r"\?")):
        Features(**options)


def test_parameters_travel_in_yaml(tmp_path) -> None:
    path = tmp_path / "decoder-dataset.config.yml"
    parameters = Features(features="mel", n_mels=40, norm_audio=False)
    write_config(path, parameters)
    assert read_config(path) == parameters
    assert yaml.safe_load(path.read_text())["transform"] == dataclasses.asdict(parameters)
    assert parameters.differences(read_config(path)) == []
    assert dataclasses.replace(parameters, n_mels=128).differences(read_config(path)) == ["n-mels 128, not 40"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("transform: {n_mfc: 3}", "Did you mean n_mfcc"),
        ("[1, 2]", "but a list"),
        ("{", "no feature parameters"),
        ("transform: {features: nonsense}", "there are deltas"),
        ("!!python/object/apply:os.system ['touch {mark}']", "no feature parameters"),
    ],
)
def test_yaml_runs_nothing(tmp_path, text: str, message: str) -> None:
    mark, path = tmp_path / "mark", tmp_path / "config.yml"
    path.write_text(text.replace("{mark}", str(mark)))
    with pytest.raises(CanaryganError, match=message):
        read_config(path)
    assert not mark.exists()
