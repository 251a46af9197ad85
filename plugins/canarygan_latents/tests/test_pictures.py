"""Spectrograms of stimuli side by side."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canarygan_latents.stimuli.pictures import draw_sheet

RATE = 16000


@pytest.mark.parametrize("milliseconds", [60, 100, 256, 1600])
def test_the_times_of_one_spectrogram_do_not_run_into_those_of_the_next(
    milliseconds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = pytest.importorskip("matplotlib.figure")
    drawn: list[Any] = []
    save = figures.Figure.savefig
    monkeypatch.setattr(
        figures.Figure, "savefig", lambda self, *given, **kw: (drawn.append(self), save(self, *given, **kw))
    )
    sounds = np.random.default_rng(0).standard_normal((3, RATE * milliseconds // 1000)).astype(np.float32)
    draw_sheet(tmp_path / "sheet.png", list(sounds), ["a", "b", "c"], RATE)
    boxes = [
        label.get_window_extent() for axis in drawn[0].axes for label in axis.get_xticklabels() if label.get_text()
    ]
    shown = [box for box in boxes if box.width]
    assert len(shown) >= 6
    for left, right in itertools.pairwise(shown):
        assert left.x1 < right.x0
