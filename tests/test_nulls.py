"""What chance alone makes of scores: sizes, intervals, probabilities and their correction, for any metric."""

from dataclasses import dataclass
from itertools import repeat
from typing import ClassVar

import numpy as np
import pytest

from canarygan_core.clips import Clips
from canarygan_core.components import Metric
from canarygan_core.errors import CanaryganError
from canarygan_core.evaluation import nulls, scoring

SIZES = []


@dataclass(frozen=True)
class Apart(Metric):
    """Absolute difference of means, which is biased up where clips are few; of all clips and of each class."""

    name: ClassVar[str] = "apart"
    units: ClassVar[dict[str, str]] = {"apart": "dB"}
    better: ClassVar[dict[str, str]] = {"apart": "smaller"}

    def score(self, generated, reference):
        SIZES.append((len(generated), len(reference)))
        if len(generated) < 2:
            raise CanaryganError("apart needs two clips.")
        one, other = (clips.facts["x"].mean() for clips in (generated, reference))
        return {"apart": float(abs(one - other)), "a/apart": float(abs(one - other))}


def drawn(n, seed, shift=0.0):
    return Clips(np.zeros((n, 0), np.float32), 16000, facts={"x": np.random.default_rng(seed).normal(size=n) + shift})


def compare(generated, reference, metric=Apart(), resamplings=50, seed=0):
    scores = metric.score(generated, reference)
    return nulls.compare(metric, generated, reference, scores, resamplings=resamplings, seed=seed)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((60, 900), (60, 500)),
        ((60, 400), (60, 340)),
        ((1000, 900), (450, 450)),
        ((10_000, 16_000), (500, 500)),
        ((5, 9), (4, 5)),
    ],
)
def test_both_sides_are_as_large_as_those_of_the_score_where_there_are_enough_real_clips(sizes, expected):
    assert nulls.choose_sizes(*sizes) == expected
    SIZES.clear()
    found = compare(*(drawn(size, seed) for seed, size in enumerate(sizes)))
    assert (found.generated, found.reference) == expected
    assert SIZES[0] == sizes
    assert set(SIZES[1:-3]) == {expected}
    assert len(SIZES) == 1 + 50 + nulls.DRAWS + 3


def test_no_clip_stands_on_both_sides_or_twice():
    class Whole(Apart):
        def score(self, generated, reference):
            rows = np.concatenate([generated.facts["x"], reference.facts["x"]])
            return {"twice": float(len(rows) - len(np.unique(rows)))}

    reference = drawn(40, 0)
    assert compare(drawn(20, 1), reference, Whole()).means == {"twice": 0}


@pytest.mark.parametrize(("generated", "reference"), [(60, 900), (300, 300), (1000, 200)])
def test_genuine_clips_are_inside_as_often_as_promised_at_any_sizes(generated, reference):
    """The interval is to hold 95 %: of 100, twelve or more are outside once in 230 times (binomial)."""
    outside = 0
    for seed in range(100):
        null = compare(drawn(generated, 2 * seed), drawn(reference, 2 * seed + 1), seed=seed).scores["apart"]
        outside += not null.low <= null.score <= null.high
    assert outside < 12


@pytest.mark.parametrize(("generated", "reference"), [(300, 600), (1000, 200), (60, 900)])
def test_a_score_of_the_generated_clips_alone_is_inside_as_often(generated, reference):
    class Mean(Apart):
        def score(self, generated, reference):
            return {"mean": float(generated.facts["x"].mean())}

    outside = 0
    for seed in range(100):
        null = compare(drawn(generated, 2 * seed), drawn(reference, 2 * seed + 1), Mean(), seed=seed).scores["mean"]
        outside += not null.low <= null.score <= null.high
    assert outside < 12
    assert compare(drawn(generated, 1, shift=1), drawn(reference, 0), Mean()).scores["mean"].p < 1e-3


def test_clips_that_differ_are_outside_and_the_mean_of_halves_alone_would_not_tell():
    found = compare(drawn(60, 1, shift=0.8), drawn(900, 0)).scores["apart"]
    assert found.score > found.high
    assert found.p < 1e-3
    assert found.mean == pytest.approx(np.sqrt(2 / np.pi) * np.sqrt(1 / 60 + 1 / 500), rel=0.3)


def test_a_score_that_is_the_same_by_chance_is_inside_if_it_is_the_same():
    class Constant(Apart):
        def score(self, generated, reference):
            return {"all": 1.0, "some": 0.5 if generated.facts["x"].mean() > 4 else 1.0}

    found = compare(drawn(60, 1, shift=5), drawn(90, 0), Constant()).scores
    assert found["all"].p == 1
    assert found["some"].p == 0


def test_what_is_rare_is_not_outside_because_no_draw_has_it():
    """One odd clip of 300, and none among the real ones: a share of 0.3 % where all draws have 0."""

    class Odd(Apart):
        units: ClassVar[dict[str, str]] = {"odd": "share", "a/odd": "share"}

        def score(self, generated, reference):
            share = float((generated.facts["x"] > 50).mean())
            return {"odd": share, "a/odd": share}

    generated = drawn(300, 1)
    generated.facts["x"][7] = 99
    found = compare(generated, drawn(600, 0), Odd()).scores
    assert found["odd"].p > 0.2
    assert found["a/odd"].p > 0.2
    generated.facts["x"][:15] = 99
    assert compare(generated, drawn(600, 0), Odd()).scores["odd"].p < 1e-9


def test_the_interval_of_a_share_stays_within_its_range():
    """Nearly all draws are at 0 or 1, and a score of the generated clips alone gets a wider interval."""

    class Most(Apart):
        units: ClassVar[dict[str, str]] = {"most": "share", "few": "share", "a/net": "net share"}

        def score(self, generated, reference):
            few = float((generated.facts["x"] > 1.7).mean())
            return {"most": 1 - few, "few": few, "a/net": few}

    found = compare(drawn(60, 1), drawn(120, 0), Most()).scores
    assert found["a/net"].low < 0, "the case is one where it would leave the range"
    assert (found["few"].low, found["most"].high) == (0, 1)
    assert found["few"].high == pytest.approx(1 - found["most"].low)
    assert found["few"].p == found["a/net"].p


def test_a_metric_says_what_is_tested_or_how_to_resample_and_is_given_what_it_wants():
    class Untested(Apart):
        tested: ClassVar[frozenset[str]] = frozenset()

    class Own(Apart):
        def resample(self, generated, reference, rng):
            return repeat((generated, reference))

    assert compare(drawn(60, 1), drawn(90, 0), Untested()) is None
    assert compare(drawn(60, 1), drawn(90, 0), resamplings=0) is None
    own = compare(drawn(60, 1), drawn(90, 0), Own(), resamplings=30)
    assert (own.generated, own.reference, own.resamplings) == (60, 90, 30)
    assert own.scores["apart"].low == own.scores["apart"].high == own.scores["apart"].score


def test_where_there_are_too_few_clips_nothing_is_said():
    class Picky(Apart):
        def score(self, generated, reference):
            if len(reference) < 50:
                raise CanaryganError("too few")
            return {"one": 1.0}

    assert compare(drawn(60, 1), drawn(3, 0)) is None
    assert compare(drawn(60, 1), drawn(60, 0), Picky()) is None


def test_the_same_seed_gives_the_same():
    pair = drawn(60, 1), drawn(90, 0)
    assert compare(*pair) == compare(*pair)
    assert compare(*pair) != compare(*pair, seed=1)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 19, 49, 99])
def test_students_distribution_is_that_of_scipy(degrees):
    stats = pytest.importorskip("scipy.stats", reason="plugins bring scipy")
    for t in (0.0, 0.3, -2.0, 5.0, 9.0):
        assert nulls.student(t, degrees) == pytest.approx(2 * stats.t.sf(abs(t), degrees), abs=1e-12)


def test_several_tests_are_corrected_as_holm_did():
    assert nulls.correct({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06}
    )
    assert nulls.correct({}) == {}
    assert nulls.correct({"a": 0.9, "b": 0.8}) == {"a": 1, "b": 1}


def test_ranks_hold_back_a_score_among_draws_that_are_far_from_normal():
    null = np.r_[np.zeros(48), 10.0, 10.0]
    assert nulls._compute_p(10.0, null) >= 2 * 2 / 51


def record(metric, *sides, **options):
    return scoring.score_one(metric, *sides, **{"resamplings": 50, "seed": 0, **options})


def test_a_record_has_units_numbers_and_verdicts_and_the_table_shows_them():
    results = {
        "good": record(Apart(), drawn(60, 1), drawn(900, 0), None),
        "bad": record(Apart(), drawn(60, 1, shift=2), drawn(900, 0), drawn(20, 5, shift=9)),
    }
    tests = scoring.add_verdicts(results)
    assert tests == {"correction": "Holm", "level": 0.05, "tests": 2, "class_tests": 2}
    good, bad = results.values()
    assert good["null"]["scores"]["apart"]["verdict"] == "inside"
    assert bad["null"]["scores"]["apart"]["verdict"] == bad["null"]["scores"]["a/apart"]["verdict"] == "above"
    assert good["clips"] == {"generated": 60, "reference": 900}
    assert bad["clips"] == {"generated": 60, "reference": 900, "noise": 20}
    assert good["units"] == {"apart": "dB", "a/apart": "dB"}
    assert good["better"] == {"apart": "smaller", "a/apart": "smaller"}
    assert bad["context"]["noise"]["apart"] > 8
    table = scoring.format_table(results, tests)
    assert "bad: 60 generated, 900 real; same size: 60 and 500, 50 resamplings" in table
    assert "outside, above" in table
    assert "of single classes, 1 of 1 scores are outside: a/apart" in table
    assert "2 scores are tested together" in table
    (line,) = [line for line in table.splitlines() if "inside" in line and "apart" in line]
    assert line.split()[:3] == ["apart", "dB", "smaller"]


def test_a_class_of_many_scores_does_not_weigh_on_the_others():
    """Scores of single classes are a family of their own."""
    results = {"one": {"null": {"scores": {"x": {"p": 0.02, "score": 2.0, "mean": 1.0}}}}}
    results["one"]["null"]["scores"] |= {f"{n}/x": {"p": 0.02, "score": 0.0, "mean": 1.0} for n in range(9)}
    scoring.add_verdicts(results)
    found = results["one"]["null"]["scores"]
    assert (found["x"]["verdict"], found["x"]["p_corrected"]) == ("above", 0.02)
    assert found["0/x"]["verdict"] == "inside"
    assert found["0/x"]["p_corrected"] == pytest.approx(0.18)
