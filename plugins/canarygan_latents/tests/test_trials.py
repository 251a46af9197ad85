"""The order of trials: balanced, blinded, seeded."""

import itertools
from collections import Counter

import pytest
from canarygan_latents.stimuli.trials import LENGTH, draw_names, list_trials, order_trials, tell_apart


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [1, 2, 3, 17])
def test_whenever_one_stops_no_stimulus_was_played_more_than_once_more_than_another(count, seed):
    files = [f"{number}.wav" for number in range(count)]
    trials = list_trials(files, 6, seed)
    assert [row["trial"] for row in trials] == list(range(1, 6 * count + 1))
    played = Counter(dict.fromkeys(files, 0))
    for row in trials:
        played[row["file"]] += 1
        assert max(played.values()) - min(played.values()) <= 1
    assert set(played.values()) == {6}
    for block in range(1, 7):
        assert sorted(row["file"] for row in trials if row["block"] == block) == sorted(files)


def test_no_stimulus_follows_itself():
    for seed in range(50):
        order = [row for block in order_trials(3, 20, seed) for row in block]
        assert all(before != after for before, after in itertools.pairwise(order))


def test_each_stimulus_comes_first_about_equally_often():
    first = Counter(order_trials(4, 1, seed)[0][0] for seed in range(2000))
    assert all(abs(count - 500) < 5 * (2000 * 0.25 * 0.75) ** 0.5 for count in first.values())


def test_names_that_are_one_on_some_disks_are_told_apart():
    assert tell_apart(["a_1", "A_1", "a_1-2", "b", "a_1"]) == ["a_1", "A_1-2", "a_1-2-2", "b", "a_1-3"]
    assert tell_apart(["\u00e9", "e\u0301"]) == ["\u00e9", "e\u0301-2"]


def test_names_are_distinct_and_the_seed_gives_them_again():
    names = draw_names(3000, 7)
    assert len(set(names)) == 3000
    assert all(len(name) == LENGTH and name.isalpha() for name in names)
    assert names == draw_names(3000, 7)
    assert names != draw_names(3000, 8)
    assert order_trials(9, 4, 1) == order_trials(9, 4, 1) != order_trials(9, 4, 2)
