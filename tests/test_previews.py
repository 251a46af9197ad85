"""Pictures and sounds made while training."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from canarygan_core.lightning import previews

pytest.importorskip("matplotlib")

CURVES = dict.fromkeys(("critic/wasserstein", "critic/loss", "generator/loss", "critic/gradient_penalty"), "a title")


def compute(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """The picture of one sound, without the gap around it: (bins, frames)."""
    return previews.tile_spectrograms(sound[None])[2:-2, 2:-2][:, : len(sound) // previews.HOP + 1]


@pytest.mark.parametrize("frequency", [500, 2000, 6000])
def test_spectrogram_peaks_at_the_tone(frequency: int) -> None:
    tone = np.sin(2 * np.pi * frequency * np.arange(4096) / 16000).astype(np.float32)
    levels = compute(tone)
    assert levels.shape == (129, 4096 // previews.HOP + 1)
    inside = levels[:, 5:-5]
    assert np.abs(inside.argmax(0) * 16000 / 256 - frequency).max() <= 32
    assert inside.max() == pytest.approx(0, abs=1.0), "a tone at full scale stands at 0 dB"


def test_silence_lies_at_the_floor() -> None:
    assert (compute(np.zeros(1000, np.float32)) == previews.FLOOR).all()


def test_sheet_and_row_are_files_that_open(tmp_path: Path) -> None:
    sounds = np.random.default_rng(0).uniform(-1, 1, (10, 4096)).astype(np.float32)
    figure = previews.draw_sheet(sounds, sounds[:3], 16000, "12 generator updates")
    previews.save_image(previews.render(figure), tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert previews.render(figure).shape[2] == 3
    previews.write_sounds(sounds, 16000, tmp_path / "row.wav")
    row, rate = soundfile.read(tmp_path / "row.wav")
    assert rate == 16000
    assert len(row) == 10 * (4096 + 1600)


def test_axes_of_previews_are_in_kilohertz_and_milliseconds() -> None:
    time = np.arange(4096)
    sounds = np.tile(np.where(time < 2048, 0, np.sin(2 * np.pi * 0.25 * time)), (3, 1)).astype(np.float32)
    figure = previews.draw_sheet(sounds, sounds, 16000, "4 kHz from 128 ms on")
    assert [axis.get_ylabel() for axis in figure.axes] == ["generated, kHz", "real, kHz"]
    assert figure.axes[1].get_xlabel() == "ms in each"
    for axis in figure.axes:
        picture = np.nan_to_num(np.asarray(axis.images[0].get_array(), float), nan=-200)
        assert [text.get_text() for text in axis.get_yticklabels()] == ["0", "8"]
        low, high = axis.get_yticks()
        assert abs(picture.max(1).argmax() - (low + high) / 2) <= 1
        labels = [text.get_text() for text in axis.get_xticklabels()]
        assert labels == ["0"] * 8 + ["256"] * 8
        start, end = axis.get_xticks()[0], axis.get_xticks()[8]
        level = picture[round((low + high) / 2), : round(end)]
        assert abs(np.flatnonzero(level > -20)[0] - (start + end) / 2) <= 2


def test_curves_of_a_log(tmp_path: Path) -> None:
    table = tmp_path / "metrics.csv"
    assert previews.draw_curves(table, CURVES) is None
    table.write_text(
        "step,critic/wasserstein,critic/loss,generator/loss,critic/gradient_penalty\n1,1,2,3,4\n2,2,3,4,5\n"
    )
    figure = previews.draw_curves(table, CURVES)
    assert figure is not None
    lines = [axis.lines[0].get_xydata().tolist() for axis in figure.axes]  # type: ignore[union-attr]
    assert lines == [[[1, k], [2, k + 1]] for k in (1, 2, 3, 4)]


def test_one_curve_has_a_picture_of_its_own(tmp_path: Path) -> None:
    table = tmp_path / "metrics.csv"
    table.write_text("step,loss\n1,5\n3,4\n")
    figure = previews.draw_curves(table, {"loss": "Loss"}, "steps")
    assert figure is not None
    (axis,) = figure.axes
    assert (axis.get_xlabel(), axis.get_title()) == ("steps", "Loss")
