import numpy as np
import pytest

from canarygan_core.fitted.judgements import Judgement, X, describe_consensus, reach_consensus

CLASSES = ("a", "b", "noise")


def judge(posteriors: list[list[float]], **known: object) -> Judgement:
    known = {"garbage": ("noise",), **known}
    return Judgement.of(np.asarray(posteriors, np.float32), CLASSES, **known)  # type: ignore[arg-type]


def test_a_class_is_judged_apart_from_whether_it_is_a_syllable() -> None:
    one = judge([[0.6, 0.2, 0.2], [0.1, 0.05, 0.85]], resemblance=np.array([0.5, 1.0]))
    assert one.classes == ("a", "b")
    np.testing.assert_allclose(one.posteriors, [[0.75, 0.25], [2 / 3, 1 / 3]], rtol=1e-6)
    np.testing.assert_allclose(one.syllable, [0.4, 0.15], rtol=1e-6)
    np.testing.assert_allclose(one.certainty, [0.75, 2 / 3], rtol=1e-6)
    assert one.labels.tolist() == ["a", "a"]
    assert one.votes.tolist() == [X, X]


@pytest.mark.parametrize(
    ("posteriors", "resemblance", "label"),
    [
        ([0.8, 0.1, 0.1], 1.0, "a"),
        ([0.8, 0.1, 0.1], 0.5, X),  # 0.45
        ([0.2, 0.1, 0.7], 1.0, X),
        ([0.45, 0.35, 0.2], 1.0, X),  # 0.56 is below the threshold
        ([0.0, 0.0, 1.0], 1.0, X),
    ],
)
def test_novelty_garbage_and_doubt_reject_each_alone(posteriors: list[float], resemblance: float, label: str) -> None:
    one = judge([posteriors], resemblance=np.array([resemblance]), threshold=0.6)
    assert one.votes.tolist() == [label]
    assert np.isfinite(one.posteriors).all()


def test_silence_is_no_syllable() -> None:
    one = judge([[0.5, 0.3, 0.2]] * 2, usable=np.array([True, False]))
    assert one.labels.tolist() == ["a", X]
    np.testing.assert_allclose(one.syllable, [0.8, 0])


def test_parts_are_joined_in_order() -> None:
    whole = judge([[0.6, 0.2, 0.2], [0.1, 0.9, 0.0], [0.2, 0.2, 0.6]], threshold=0.3)
    joined = Judgement.join([judge([[0.6, 0.2, 0.2]], threshold=0.3), judge([[0.1, 0.9, 0], [0.2, 0.2, 0.6]])])
    assert joined.votes.tolist() == whole.votes.tolist() == ["a", "b", X]
    np.testing.assert_array_equal(joined.posteriors, whole.posteriors)


def test_together_they_are_sure_where_a_majority_is() -> None:
    a, b, noise = [0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.0, 0.1, 0.9]
    faint = [0.8, 0.0, 0.2]
    judgements = [judge([a, a, a, noise, noise]), judge([a, a, b, noise, a]), judge([a, b, noise, a, faint])]
    together = reach_consensus(judgements)
    assert together.labels.tolist() == ["a", "a", X, X, "a"]
    np.testing.assert_allclose(together.agreement, [1, 2 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert together.is_sure.tolist() == [True, True, False, False, True]
    assert together.is_unanimous.tolist() == [True, False, False, False, False]
    np.testing.assert_allclose(together.syllable, [1, 1, 0.7, 0.4, (0.1 + 1 + 0.8) / 3], rtol=1e-6)
    assert together.posterior[0] == pytest.approx(0.9)
    assert together.posterior[3] == 0
    kept = reach_consensus(judgements, reject=False)
    assert kept.labels.tolist() == ["a", "a", "b", "b", "a"]


def test_what_they_are_too_unsure_of_on_average_is_x() -> None:
    """Two of three say a, narrowly, and the third is certain of b: a mean of 0.38 is below their thresholds."""
    narrow, other = [0.55, 0.45, 0.0], [0.05, 0.95, 0.0]
    judgements = [judge([narrow, narrow], threshold=0.5)] * 2 + [judge([other, narrow], threshold=0.5)]
    together = reach_consensus(judgements)
    assert together.labels.tolist() == [X, "a"]
    np.testing.assert_allclose(together.agreement, [0, 1])
    assert reach_consensus(judgements, reject=False).labels.tolist() == ["a", "a"]
    assert reach_consensus([judge([narrow, narrow])] * 2 + [judge([other, narrow])]).labels.tolist() == ["a", "a"]


def test_of_two_that_contradict_each_other_the_more_certain_is_right() -> None:
    sure, doubting = judge([[0.9, 0.1, 0.0]]), judge([[0.55, 0.0, 0.45]], resemblance=np.array([0.5]))
    together = reach_consensus([sure, doubting])
    assert doubting.vote_certainty[0] == pytest.approx(1 - 0.275)
    assert together.syllable[0] == pytest.approx((1 + 0.275) / 2)
    assert together.labels.tolist() == ["a"]
    certain = judge([[0.55, 0.0, 0.45]], resemblance=np.array([0.01]))
    assert reach_consensus([sure, certain]).labels.tolist() == [X]


def test_where_they_think_it_less_likely_a_syllable_than_not_the_consensus_is_x() -> None:
    faint, strange = judge([[0.55, 0.0, 0.45]]), judge([[0.9, 0.1, 0.0]], resemblance=np.array([0.1]))
    together = reach_consensus([faint, faint, strange])
    assert together.syllable[0] < 0.5
    assert together.labels.tolist() == [X]
    assert together.agreement.tolist() == [pytest.approx(1 / 3)]


def test_counts_are_said_in_a_sentence() -> None:
    assert describe_consensus(["esn"], 10, 7, 7) == "7 of 10 sounds are sure, the others X."
    assert describe_consensus(["esn"], 10, 10, 10) == "10 of 10 sounds are sure."
    text = describe_consensus(["esn", "knn"], 10, 7, 5)
    assert text == "7 of 10 sounds are sure, the others X; esn, knn all agree on 5 of these 7."
