import logging
from pathlib import Path

import numpy as np
import pytest

from canarygan_core.errors import CanaryganError
from canarygan_core.evaluation import accuracy, streaming


@pytest.mark.parametrize("share", [0.1, 0.25, 0.9])
def test_a_split_holds_out_the_same_share_of_each_class(share: float) -> None:
    labels = np.array(["a"] * 40 + ["b"] * 4 + ["c"])
    train, test = accuracy.split(labels, share, 3)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(45))
    held = {label: int((labels[test] == label).sum()) for label in "abc"}
    assert held == {"a": round(40 * share), "b": min(max(round(4 * share), 1), 3), "c": 0}
    np.testing.assert_array_equal(accuracy.split(labels, share, 3)[1], test)
    assert not np.array_equal(accuracy.split(labels, share, 4)[1], test)


def test_a_share_out_of_range_is_refused() -> None:
    with pytest.raises(CanaryganError, match="--split is 1: the share of clips to test on may be 0 to below 1"):
        accuracy.split(np.array(["a", "b"]), 1.0, 0)
    assert len(accuracy.split(np.array(["a", "b"]), 0.0, 0)[1]) == 0


def test_scores_on_a_known_confusion() -> None:
    score = accuracy.compute_report(["a", "a", "a", "b"], ["a", "a", "b", "b"], ["a", "b", "c"])
    np.testing.assert_array_equal(score.confusion, [[2, 1, 0], [0, 1, 0], [0, 0, 0]])
    assert score.accuracy == 0.75
    np.testing.assert_allclose(score.recall, [2 / 3, 1, np.nan])
    assert score.macro_f1 == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert accuracy.compute_interval(88, 90) == pytest.approx((0.92257, 0.99388), abs=1e-4)
    assert accuracy.compute_interval(90, 90) == pytest.approx((0.95906, 1), abs=1e-4)


def test_the_figure_has_truth_downwards(tmp_path: Path, monkeypatch) -> None:
    figures = pytest.importorskip("matplotlib.figure", reason="plugins bring matplotlib")

    drawn = []
    monkeypatch.setattr(figures.Figure, "savefig", lambda figure, path, **_: drawn.append(figure) or Path(path).touch())
    report = accuracy.compute_report(["a", "a", "b$"], ["a", "b$", "b$"], ["a", "b$"])
    accuracy.draw_confusion(tmp_path / "c.png", report, "title")
    axes = drawn[0].axes[0]
    assert axes.get_ylabel() == "True class"
    assert axes.get_xlabel() == "Label given"
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", r"b\$"]
    cells = {(int(text.get_position()[0]), int(text.get_position()[1])): text.get_text() for text in axes.texts}
    assert cells == {(0, 0): "1", (1, 0): "1", (1, 1): "1"}  # (column given, row true): an `a` was taken for `b$`


def test_warnings_of_a_plugin_with_a_logger_of_its_own_are_collected(caplog):
    with streaming.collect_warnings() as messages:
        logging.getLogger("canarygan.mine").warning("mine")
        logging.getLogger("canarygan").warning("ours")
        logging.getLogger("canarygan").info("no warning")
    assert messages == ["mine", "ours"]
