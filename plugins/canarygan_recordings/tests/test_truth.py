"""Agreement and errors against values worked out by hand."""

from pathlib import Path

import numpy as np
import pytest
from canarygan_recordings.agreement import Agreement, compare
from canarygan_recordings.segmentation import STEP, Level, Segmentation, find_spans, follow_noise
from canarygan_recordings.truth import NONE, compute_edits, score_song

SONG = Path("song.wav")


@pytest.mark.parametrize(
    ("first", "second", "edits"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("abc", "", 3),
        ("abc", "abc", 0),
        ("abc", "axc", 1),
        ("abc", "abxc", 1),
        ("kitten", "sitting", 3),
        ("intention", "execution", 5),
        ("aaaa", "bbbb", 4),
        ("abcdef", "bcdefa", 2),
    ],
)
def test_edit_distance(first, second, edits):
    assert compute_edits(list(first), list(second)) == compute_edits(list(second), list(first)) == edits


def test_edit_distance_is_that_of_the_textbook_for_any_sequences():
    drawn = np.random.default_rng(1)
    for _ in range(30):
        first, second = (drawn.choice(list("abc"), drawn.integers(0, 12)).tolist() for _ in range(2))
        table = np.zeros((len(first) + 1, len(second) + 1), int)
        table[:, 0], table[0] = range(len(first) + 1), range(len(second) + 1)
        for row in range(1, len(first) + 1):
            for column in range(1, len(second) + 1):
                change = table[row - 1, column - 1] + (first[row - 1] != second[column - 1])
                table[row, column] = min(change, table[row - 1, column] + 1, table[row, column - 1] + 1)
        assert compute_edits(first, second) == table[-1, -1]


def test_a_song_against_its_annotation():
    given = [(0.0, 0.1, "a"), (0.2, 0.3, "b"), (0.4, 0.5, "a"), (0.6, 0.7, "c")]
    decoded = [(0.0, 0.1, "a"), (0.2, 0.3, "c"), (0.8, 0.9, "b"), (0.61, 0.7, "c"), (0.42, 0.5, "X")]
    score = score_song(SONG, decoded, given, 1.0)
    pairs = sorted(zip(score.given, score.decoded, strict=True))
    assert pairs == sorted([("a", "a"), ("b", "c"), ("a", NONE), ("c", "c"), (NONE, "b")])
    assert score.edits == 3  # c for b, no a, one b more
    assert score.error_rate == 3 / 4
    assert (score.syllables, score.frames) == (4, 1000)
    # wrong frames: 100 of b, 100 of a, 10 of c begun late, 100 of the b that is none
    assert score.frames_right == 1000 - 310
    assert (score.sung, score.sung_right) == (400, 190)


def test_nothing_decoded_is_all_missed():
    score = score_song(SONG, [], [(0.0, 0.5, "a")], 1.0)
    assert (score.edits, score.decoded, score.frames_right) == (1, (NONE,), 500)


def test_agreement_counts_ends_within_the_tolerance():
    given = [(0.1, 0.2), (0.3, 0.4), (0.5, 0.6), (0.7, 0.8)]
    found = [(0.105, 0.195), (0.3, 0.42), (0.9, 0.95), (0.51, 0.6)]
    one = compare(sorted(found), given, 0.010)
    assert (one.given, one.found, one.right, one.missed) == (4, 4, 2, 1)
    np.testing.assert_allclose(one.onset_errors, [0.005, 0, 0.01], atol=1e-9)
    np.testing.assert_allclose(one.offset_errors, [-0.005, 0.02, 0], atol=1e-9)
    both = one + one
    assert (both.right, len(both.onset_errors)) == (4, 6)
    assert both.to_json()["extra"] == 4
    assert "4 of 8 annotated (50.0%); 2 found otherwise, 2 missed" in both.describe(10)
    assert Agreement() + one == one


def test_a_found_segment_answers_for_one_annotated_only():
    one = compare([(0.0, 1.0)], [(0.0, 0.4), (0.5, 1.0)], 0.01)
    assert (one.right, one.missed) == (0, 1)


def level(values):
    return np.repeat(np.array(values, np.float32), round(0.05 / STEP))  # 50 ms each


def test_two_thresholds_with_hysteresis():
    values = level([0, 8, 20, 8, 0, 8, 0, 20, 0])
    spans = find_spans(Level(values, np.zeros_like(values)), Segmentation())
    np.testing.assert_allclose(spans, [(0.05, 0.2), (0.35, 0.4)], atol=STEP)


def test_short_gaps_join_and_short_sounds_go():
    values = level([0, 20, 20, 0, 20, 0])
    values[200:208] = 0  # 4 ms within the first sound
    values[500:540] = 20  # 20 ms at the end of the silence
    spans = find_spans(Level(values, np.zeros_like(values)), Segmentation(min_gap=5, min_syllable=25))
    np.testing.assert_allclose(spans, [(0.05, 0.15), (0.2, 0.27)], atol=STEP)
    apart = find_spans(Level(values, np.zeros_like(values)), Segmentation(min_gap=3, max_syllable=60))
    np.testing.assert_allclose(apart, [(0.05, 0.1), (0.104, 0.15)], atol=STEP)


def test_the_noise_is_followed_as_it_changes():
    drawn = np.random.default_rng(0)
    floor = np.concatenate([np.full(round(60 / STEP), -60.0), np.full(round(60 / STEP), -40.0)])
    values = (floor + drawn.normal(0, 1, len(floor))).astype(np.float32)
    noise = follow_noise(values, 30.0)
    assert noise[0] == pytest.approx(-61, abs=1)
    assert noise[-1] == pytest.approx(-41, abs=1)


def test_digital_silence_is_no_noise():
    values = level([-137, -20, -137])
    noise = follow_noise(values, 30.0)
    assert noise.min() == -80
    spans = find_spans(Level(values, noise), Segmentation())
    np.testing.assert_allclose(spans, [(0.05, 0.1)], atol=STEP)


def test_nothing_is_found_in_nothing():
    empty = np.empty(0, np.float32)
    assert find_spans(Level(empty, follow_noise(empty, 30.0)), Segmentation()) == []
