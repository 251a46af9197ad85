from dataclasses import replace

import numpy as np
import pytest
from canarygan_core.clips import Clips
from canarygan_core.testing import check_cheap_import, check_component, toy_clips

from canarygan_spectral_gap import SpectralGap


def test_contract() -> None:
    check_component(SpectralGap)
    check_cheap_import("canarygan_spectral_gap")


def gap(generated: Clips, reference: Clips) -> float:
    metric = SpectralGap(bands=8)
    listen = metric.listener()
    return metric.score(listen(generated), listen(reference))["gap"]


def tones(pitch: float) -> Clips:
    """A sine of that pitch (Hz), at half the full scale."""
    time = np.arange(16000) / 16000
    return Clips(np.tile(0.5 * np.sin(2 * np.pi * pitch * time), (3, 1)).astype(np.float32), 16000)


def test_equal_spectra_have_no_gap_whatever_their_level() -> None:
    clips = toy_clips()
    quieter = replace(clips, audio=clips.audio / np.float32(4))
    assert gap(clips, quieter) == pytest.approx(0, abs=1e-3)


def test_two_tones_differ_by_the_whole_range_in_two_bands_of_eight() -> None:
    assert gap(tones(500), tones(2500)) == pytest.approx(np.sqrt(2 * 60**2 / 8), rel=1e-3)
