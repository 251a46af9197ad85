"""Renditions of a label: as many as were asked for, sure, and spread; or the reason why not."""

import numpy as np
import pytest
from canarygan_latents.stimuli.judging import Verdict
from canarygan_latents.stimuli.renditions import Demands, find_renditions, spread
from scipy.spatial.distance import pdist
from stimulus_toys import EDGES, Pitch, Tones

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError


def draw(count, number):
    return np.random.default_rng([5, number]).uniform(-1, 1, (count, 3)).astype(np.float32)


def judge(sounds):
    judged = Pitch().judge(Clips(np.asarray(sounds, np.float32), 16000))
    return Verdict(judged.votes, judged.certainty, judged.syllable)


def is_loud(sounds):
    return np.abs(sounds - 0.02).max(1) > 0.4  # as is so where the third coordinate is above 0


def find(labels, count, judge=judge, play=None, **demands):
    asked = Demands(**{"tries": 3000, "apart": 0.0, **demands})
    return find_renditions(labels, count, draw, Tones().generate, judge, asked, sides=np.full(3, 2.0), play=play)


def doubt_loud_ones(likeness):
    def judge_so(sounds):
        verdict = judge(sounds)
        return Verdict(verdict.labels, verdict.posterior, np.where(is_loud(sounds), likeness, verdict.syllable))

    return judge_so


def test_renditions_are_what_was_asked_for_and_each_another():
    for one in find(["low", "high"], 20):
        low, high = EDGES[one.label]
        assert ((low < one.latents[:, 0]) & (one.latents[:, 0] < high)).all()
        assert one.posteriors.min() >= 0.9
        assert len(np.unique(one.latents, axis=0)) == 20
        assert one.apart == pytest.approx(pdist(one.latents / 2).min(), rel=1e-5)


def test_they_are_farther_apart_than_the_first_that_come():
    (one,) = find(["low"], 20)
    first = np.concatenate([draw(100, number) for number in range(10)])
    first = first[(first[:, 0] < -0.3)][:20]
    assert one.apart > 1.5 * pdist(first / 2).min()
    assert one.found >= 80


def test_the_choice_is_among_those_that_are_likest_to_the_class():
    (one,) = find(["low"], 20, judge=doubt_loud_ones(0.7))
    assert one.latents[:, 2].max() <= 0.01


def test_a_sound_that_is_hardly_a_syllable_is_not_taken():
    (one,) = find(["low"], 20, judge=doubt_loud_ones(0.55))
    assert one.latents[:, 2].max() <= 0.01
    strict, lenient = (
        find(["low"], 10, judge=doubt_loud_ones(0.55), syllable=syllable, tries=100)[0].found for syllable in (0.6, 0.5)
    )
    assert lenient > 1.5 * strict


def test_one_that_would_do_is_named_where_sounds_are_hardly_syllables():
    def hardly(sounds):
        verdict = judge(sounds)
        return Verdict(verdict.labels, verdict.posterior, np.full(len(sounds), 0.557))

    with pytest.raises(CanaryganError, match=r"low: 500 latents brought 0 of 20 .*; --syllable 0\.55 gives 20"):
        find(["low"], 20, judge=hardly, tries=500)
    (one,) = find(["low"], 20, judge=hardly, tries=500, syllable=0.55)
    assert len(one.latents) == 20


def test_spreading_takes_the_corners():
    points = np.array([[0.1, 0.1], [0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.52], [0.9, 0.9]])
    rows, gaps = spread(points, 5, first=1)
    assert set(rows.tolist()) == {1, 2, 3, 4, 5}
    assert (np.diff(gaps) <= 0).all()
    assert gaps[-1] == pytest.approx(pdist(points[rows]).min())
    assert spread(points, 1)[0].tolist() == [0]


def test_equal_latents_are_taken_once():
    rows, gaps = spread(np.array([[0.0], [0.0], [1.0], [1.0]]), 3)
    assert sorted(rows[:2].tolist()) == [0, 2]
    assert gaps[-1] == 0


def test_a_label_that_never_comes_up_has_no_region():
    with pytest.raises(CanaryganError, match="other has no region in the latent space: of 300 latents"):
        find(["other"], 2, tries=300)


def test_all_labels_that_have_too_few_are_named():
    with pytest.raises(
        CanaryganError, match=r"^mid: 50 latents .*\nother has no region in the latent space.*$"
    ) as told:
        find(["low", "mid", "other"], 10, tries=50, posterior=0.99)
    assert "low" not in str(told.value)


def test_a_posterior_that_is_out_of_reach_names_one_that_works():
    with pytest.raises(CanaryganError, match=r"low: 500 latents brought 0 of 20 .*--posterior 0\.\d+ gives 20") as told:
        find(["low"], 20, tries=500, posterior=1.0)
    level = float(str(told.value).split("--posterior ")[1].split()[0])
    (one,) = find(["low"], 20, tries=500, posterior=level)
    assert len(one.latents) == 20


def test_too_few_say_how_many_there_are():
    with pytest.raises(
        CanaryganError, match=r"low: 50 latents brought \d+ of 200 .*they call \d+ so at all, the surest"
    ):
        find(["low"], 200, tries=50)


def test_latents_that_are_too_near_are_refused_with_how_many_are_not():
    with pytest.raises(CanaryganError, match=r"of them 0\.5 apart, and 20 are asked for\. Ask for \d") as told:
        find(["low"], 20, apart=0.5)
    far = int(str(told.value).split("Ask for ")[1].split(",")[0])
    (one,) = find(["low"], 20, apart=0.1)
    assert one.apart >= 0.1
    assert 1 < far < 20


def test_a_sound_that_is_another_when_played_is_not_taken():
    def play(sounds):  # shifts the pitch of those that begin loud
        played = Tones().generate(np.tile(np.float32([0.9, 0, 0]), (len(sounds), 1)))
        return np.where(is_loud(sounds)[:, None], played, sounds)

    (one,) = find(["low"], 20, play=play)
    assert one.latents[:, 2].max() <= 0.01
    assert find(["low"], 20)[0].latents[:, 2].max() > 0.5
