"""The synthetic syllables: what the factors promise is what the sounds hold."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from canarygan_core.clips import Clips
from canarygan_core.datasets import synthesis
from canarygan_core.datasets.synthesis import ONSET, RATE, SYLLABLES, synthesise
from canarygan_core.datasets.synthetic import Synthetic
from canarygan_core.errors import CanaryganError

Floats = NDArray[np.floating[Any]]
KINDS = list(SYLLABLES)
CORNERS = np.array(np.meshgrid([-1, 0, 1], [-1, 0, 1], [-1, 0, 1])).reshape(3, -1).T


@pytest.fixture(scope="module")
def clips() -> Clips:
    return Synthetic(per_class=20).load()


def levels(audio: Floats, window: int = 48) -> Floats:
    """Peak within a window about each sample."""
    around = np.pad(np.abs(audio), ((0, 0), (window // 2, window // 2 - 1)))
    peaks: Floats = np.lib.stride_tricks.sliding_window_view(around, window, axis=1).max(axis=2)
    return peaks


def ends(audio: Floats) -> tuple[Floats, Floats]:
    """First and last sample of each clip within 40 dB of its peak."""
    loud = np.abs(audio) > 0.01 * np.abs(audio).max(axis=1, keepdims=True)
    return loud.argmax(axis=1), audio.shape[1] - 1 - loud[:, ::-1].argmax(axis=1)


def along(kind: str, quantity: str, steps: int = 5) -> Floats:
    """Factors that move one quantity of a type from end to end, the others at their middle."""
    factors = np.zeros((steps, synthesis.FACTORS))
    factors[:, SYLLABLES[kind].factors.index(quantity)] = np.linspace(-1, 1, steps)
    return factors


def increasing(values: Floats) -> bool:
    return bool(np.all(np.diff(values) > 0))


def spectrum(audio: Floats) -> Floats:
    power: Floats = np.abs(np.fft.rfft(audio, axis=1)) ** 2
    return power


def test_sixteen_types_as_in_the_paper_in_sorted_order() -> None:
    assert sorted(["A", "B1", "B2", "C", "D", "E", "H", "J1", "J2", "L", "M", "N", "O", "Q", "R", "V"]) == KINDS
    assert len(KINDS) == Synthetic.types


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_has_pitch_and_at_most_two_factors_more(kind: str) -> None:
    factors = SYLLABLES[kind].factors
    assert factors[0] == "pitch"
    assert len(factors) <= 3


def test_clips_of_the_house(clips: Clips) -> None:
    assert clips.audio.shape == (16 * 20, 16_000)
    assert clips.audio.dtype == np.float32
    assert clips.rate == 16_000
    assert clips.labels is not None
    assert clips.labels.tolist() == [kind for kind in KINDS for _ in range(20)]
    assert clips.sources is not None
    assert clips.sources[[0, 7, 20]].tolist() == [
        "A/0000.wav",
        "A/0007.wav",
        "B1/0000.wav",
    ]
    assert np.allclose(np.abs(clips.audio).max(axis=1), 0.95, atol=1e-6)
    assert np.all(clips.facts["gain"] > 0)
    assert clips.facts["gain"].dtype == clips.facts["factors"].dtype == np.float32


def test_factors_fill_the_range_and_unused_ones_are_zero(clips: Clips) -> None:
    factors = clips.facts["factors"]
    assert factors.shape == (len(clips), 3)
    assert -1 <= factors.min() < -0.9
    assert 0.9 < factors.max() <= 1
    for kind in KINDS:
        used = len(SYLLABLES[kind].factors)
        mine = factors[clips.labels == kind]
        assert np.all(mine[:, used:] == 0)
        assert np.all(np.ptp(mine[:, :used], axis=0) > 1)


@pytest.mark.parametrize("kind", KINDS)
def test_sounds_last_30_to_300_ms_and_start_10_ms_in(kind: str) -> None:
    audio = synthesise(kind, CORNERS)
    start, end = ends(audio)
    ms = (end - start + 1) / RATE * 1000
    assert ms.min() >= 30
    assert ms.max() <= 300
    assert np.all(audio[:, :ONSET] == 0)
    assert np.all(start - ONSET < 0.005 * RATE)
    length = synthesis.lengths(kind, CORNERS)
    assert np.all(end < length)
    assert all(not clip[stop:].any() for clip, stop in zip(audio, length, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_fundamentals_lie_between_1_and_7_khz(kind: str) -> None:
    hz = synthesis.fundamental(kind, CORNERS)
    assert hz.min() >= 1_000
    assert hz.max() <= 7_000


@pytest.mark.parametrize("kind", KINDS)
def test_next_to_nothing_near_nyquist_or_below_the_voice(kind: str) -> None:
    power = spectrum(synthesise(kind, CORNERS))
    hz = np.fft.rfftfreq(synthesis.SAMPLES, 1 / RATE)
    assert np.all(power[:, hz > 7_750].sum(axis=1) < 1e-4 * power.sum(axis=1))
    assert np.all(power[:, hz < 700].sum(axis=1) < 1e-3 * power.sum(axis=1))


@pytest.mark.parametrize("kind", KINDS)
def test_no_click_at_either_end(kind: str) -> None:
    audio = synthesise(kind, CORNERS)
    peak = np.abs(audio).max(axis=1)
    assert np.all(np.abs(audio[:, : ONSET + 8]).max(axis=1) < 0.1 * peak)
    last = np.abs(audio) * (np.arange(synthesis.SAMPLES) >= synthesis.lengths(kind, CORNERS)[:, None] - 8)
    assert np.all(last.max(axis=1) < 0.02 * peak)


@pytest.mark.parametrize("kind", ["A", "E", "H", "O"])
def test_pitch_moves_the_spectral_peak(kind: str) -> None:
    factors = along(kind, "pitch")
    power = spectrum(synthesise(kind, factors))
    hz = np.fft.rfftfreq(synthesis.SAMPLES, 1 / RATE)
    pitch = synthesis.quantities(kind, factors)["pitch"]
    near = np.where(np.abs(hz / pitch - 1) < 0.3, power, 0)
    peaks = hz[near.argmax(axis=1)]
    assert increasing(peaks)
    assert np.allclose(peaks, pitch[:, 0], rtol=0.1)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "duration" in SYLLABLES[kind].factors and kind != "L"])
def test_duration_moves_the_measured_length(kind: str) -> None:
    factors = along(kind, "duration")
    start, end = ends(synthesise(kind, factors))
    ms = synthesis.quantities(kind, factors)["duration"][:, 0]
    assert increasing(end - start)
    assert np.allclose((end - start) / RATE * 1000, ms, atol=12)


@pytest.mark.parametrize("kind", ["B1", "B2", "M"])
def test_sweep_moves_the_frequency_from_onset_to_end(kind: str) -> None:
    factors = along(kind, "sweep")
    audio = synthesise(kind, factors)
    length = synthesis.lengths(kind, factors)
    hz = np.fft.rfftfreq(4_096, 1 / RATE)

    def loudest(clip: Floats, centre: int, expected: float) -> float:
        window = clip[centre - 80 : centre + 80] * np.hanning(160)
        near = np.abs(hz / expected - 1) < 0.35
        return float(hz[np.argmax(np.where(near, np.abs(np.fft.rfft(window, 4_096)), 0))])

    contour = synthesis.fundamental(kind, factors)
    swept = []
    for clip, stop, expected in zip(audio, length, contour, strict=True):
        first, last = ONSET + 160, stop - 240
        swept.append(
            np.log2(loudest(clip, last, expected[last - ONSET]) / loudest(clip, first, expected[first - ONSET]))
        )
    assert increasing(np.abs(swept))
    assert np.all(np.array(swept) > 0) == (kind == "B2")


def test_rate_sets_the_pulses_of_a_trill() -> None:
    factors = along("E", "rate")
    audio = synthesise("E", factors)[:, ONSET : ONSET + 3_000]
    envelope = levels(audio)
    modulation = spectrum((envelope - envelope.mean(axis=1, keepdims=True)) * np.hanning(3_000))
    padded = np.fft.rfftfreq(3_000, 1 / RATE)
    found = padded[modulation.argmax(axis=1)]
    assert np.allclose(found, synthesis.quantities("E", factors)["rate"][:, 0], atol=RATE / 3_000)
    assert found[-1] > found[0]


def test_the_tone_depends_on_the_factors_alone() -> None:
    assert np.array_equal(synthesise("C", CORNERS, rng=1), synthesise("C", CORNERS, rng=2))
    assert not np.array_equal(synthesise("L", CORNERS, rng=1), synthesise("L", CORNERS, rng=2))


@pytest.mark.parametrize("snr", [10.0, 30.0])
def test_the_background_lies_as_far_below_the_sound_as_asked_and_everywhere(snr: float) -> None:
    clean, noisy = (synthesise("A", CORNERS, snr=level).astype(np.float64) for level in (np.inf, snr))
    noise = noisy - clean
    duration = synthesis.quantities("A", CORNERS)["duration"][:, 0] * RATE / 1000
    measured = 10 * np.log10((clean**2).sum(axis=1) / duration / (noise**2).mean(axis=1))
    assert np.allclose(measured, snr, atol=0.1)
    quarters = (noise.reshape(len(noise), 4, -1) ** 2).mean(axis=2)
    assert np.all(quarters > 0.5 * (noise**2).mean(axis=1, keepdims=True))


def test_equal_options_give_equal_clips_and_another_seed_others(clips: Clips) -> None:
    again, other = Synthetic(per_class=20).load(), Synthetic(per_class=20, data_seed=1).load()
    assert np.array_equal(clips.audio, again.audio)
    assert clips.origin == again.origin
    assert not np.any(np.all(clips.audio == other.audio, axis=1))
    assert clips.origin["fingerprint"] != other.origin["fingerprint"]
    assert clips.origin["options"] == {"syllables": 16, "per_class": 20, "snr": 30.0, "data_seed": 0}


def test_a_rendition_does_not_depend_on_how_many_there_are(clips: Clips) -> None:
    fewer = Synthetic(syllables=3, per_class=7).load()
    more = Synthetic(syllables=1, per_class=203).load()
    for start in range(3):
        mine, theirs = slice(7 * start, 7 * start + 7), slice(20 * start, 20 * start + 7)
        assert np.array_equal(fewer.audio[mine], clips.audio[theirs])
        assert np.array_equal(fewer.facts["factors"][mine], clips.facts["factors"][theirs])
    assert np.array_equal(more.audio[:20], clips.audio[:20])


def test_chosen_factors_render_what_the_dataset_holds() -> None:
    quiet = Synthetic(syllables=4, per_class=5, snr=120).load()
    mine = quiet.labels == "C"
    rendered, gain = synthesis.to_peak(synthesise("C", quiet.facts["factors"][mine]))
    assert np.allclose(rendered, quiet.audio[mine], atol=1e-4)
    assert np.allclose(gain, quiet.facts["gain"][mine], rtol=1e-4)


def test_renditions_vary_within_a_type(clips: Clips) -> None:
    for kind in KINDS:
        mine = clips.audio[clips.labels == kind]
        assert np.abs(np.corrcoef(mine) - np.eye(len(mine))).max() < 0.9


def test_types_are_told_apart_by_the_nearest_centroid() -> None:
    clips = Synthetic(per_class=40).load()
    frames = clips.audio[:, :5_120].reshape(len(clips), 40, 128) * np.hanning(128).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=2))[:, :, 1:] ** 2
    pooled = power.reshape(len(clips), 10, 4, 16, 4).sum(axis=(2, 4)).reshape(len(clips), -1)
    features = np.log10(pooled + 1e-3 * pooled.max(axis=1, keepdims=True))
    assert clips.labels is not None
    held_out = np.arange(len(clips)) % 2 == 1
    centroids = np.stack([features[~held_out & (clips.labels == kind)].mean(axis=0) for kind in KINDS])
    distance = ((features[held_out][:, None] - centroids) ** 2).sum(axis=2)
    right = np.array(KINDS)[distance.argmin(axis=1)] == clips.labels[held_out]
    assert right.mean() > 0.95


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"syllables": 0}, "--syllables is 0: .* 1 to 16"),
        ({"syllables": 17}, "--syllables is 17: .* 1 to 16"),
        ({"per_class": 0}, "--per-class is 0: .* 1 rendition"),
        ({"snr": -1.0}, "--snr is -1 dB: .* 0 to 120 dB"),
        ({"snr": float("nan")}, "--snr is nan dB: .* 0 to 120 dB"),
        ({"data_seed": -1}, "--data-seed is -1: .* 0 or more"),
    ],
)
def test_options_out_of_range_say_what_would_do(options: dict[str, Any], said: str) -> None:
    with pytest.raises(CanaryganError, match=said):
        Synthetic(**options)


def test_wrong_kinds_and_factors_are_refused() -> None:
    with pytest.raises(CanaryganError, match="No syllable type B3: the types are A B1 B2"):
        synthesise("B3", CORNERS)
    with pytest.raises(CanaryganError, match=r"shape \(clips, 3\), not \(5, 2\)"):
        synthesise("A", np.zeros((5, 2)))
    for bad in (1.5, np.nan):
        with pytest.raises(CanaryganError, match="-1 to 1"):
            synthesise("A", [[0, bad, 0]])
    assert synthesise("L", np.zeros((0, 3))).shape == (0, 16_000)


def test_the_component_loads_no_numpy_before_it_is_asked_for_clips() -> None:
    code = (
        "import sys; from canarygan_core.datasets.synthetic import Synthetic; Synthetic(); "
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
