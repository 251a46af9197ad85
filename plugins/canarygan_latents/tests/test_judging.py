"""What errors mean."""

from dataclasses import replace

import numpy as np
import pytest
from canarygan_latents.inversion import judging
from canarygan_latents.inversion.judging import Errors, describe, find_nearest, is_far, summarize
from canarygan_latents.inversion.measuring import Measure

from canarygan_core.testing import toy_clips


def make_errors(error: list[float], random: float = 10.0, reachable: float = 1.0) -> Errors:
    count = len(error)
    columns = [np.full(count, value, np.float32) for value in (0.5, random, np.nan)]
    reached = np.full(3, reachable, np.float32)
    return Errors(np.float32(error), columns[0], columns[1], columns[2], np.full(count, ""), reached)


def test_the_way_goes_from_a_blind_latent_to_the_models_own_sounds() -> None:
    labels = np.array(["a", "a", "b", "c"])
    overall, table = summarize(make_errors([1, 1, 10, 5.5]), labels)
    assert {label: row["way"] for label, row in table.items()} == {"a": 1, "b": 0, "c": 0.5}
    assert overall["way"] == 0.75
    assert table["a"]["sounds"] == 2
    assert table["a"]["nearest_error"] is None


def test_what_the_model_is_far_from_is_named_and_the_worst_comes_first() -> None:
    errors = make_errors([1, 1, 10, 5.5])
    overall, table = summarize(errors, np.array(["a", "a", "b", "c"]))
    lines = describe(overall, table, errors)
    assert [line.partition(":")[0] for line in lines[2:5]] == ["b", "c", "a"]
    assert lines[-1].endswith("less than half of the way to b.")
    assert not is_far(table["c"])
    near = make_errors([1, 2])
    assert describe(*summarize(near, np.array(["a", "b"])), near)[-1].startswith("The model comes at least half")
    blind = make_errors([1, 2], random=1.0)
    assert not [line for line in describe(*summarize(blind, np.array(["a", "b"])), blind) if "of the way" in line]


def test_nothing_is_said_of_classes_where_no_label_is_known() -> None:
    errors = replace(make_errors([1, 2]), reachable=np.empty(0, np.float32))
    assert len(describe(*summarize(errors), errors)) == 1
    assert summarize(errors)[0]["way"] == 0.85


def test_a_class_may_be_called_all() -> None:
    errors = make_errors([1, 1, 10])
    overall, table = summarize(errors, np.array(["a", "a", "all"]))
    assert (overall["sounds"], overall["error"]) == (3, 1)
    assert (table["all"]["sounds"], table["all"]["error"]) == (1, 10)
    lines = describe(overall, table, errors)
    assert lines[0].startswith("Median error 1.00 dB")
    assert lines[2].startswith("all: 10.00 dB")


def test_errors_of_few_sounds_are_held_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clips, measure, held = toy_clips(24, classes=3), Measure(16000), []
    whole = find_nearest(clips.select(slice(0, 5)), clips, measure)
    compare = Measure.compare
    monkeypatch.setattr(Measure, "compare", lambda self, *levels: held.append(len(levels[0])) or compare(self, *levels))
    monkeypatch.setattr(judging, "TOGETHER", 2)
    parts = find_nearest(clips.select(slice(0, 5)), clips, measure)
    assert held == [2, 2, 1]
    assert [one.tolist() for one in parts] == [one.tolist() for one in whole]


def test_the_nearest_clip_is_another_one_of_the_same_class() -> None:
    clips = toy_clips(24, classes=3)
    errors, names = find_nearest(clips.select(slice(0, 6)), clips, Measure(clips.rate))
    assert (errors > 0.05).all()
    assert (names != clips.sources[:6]).all()
    assert [name.split("/")[0] for name in names] == clips.labels[:6].tolist()


def test_a_sound_that_every_training_clip_is_has_no_nearest_one() -> None:
    clips = toy_clips(2, classes=2)
    errors, names = find_nearest(clips, clips.select(slice(0, 1)), Measure(clips.rate))
    assert np.isnan(errors).tolist() == [True, False]
    assert names.tolist() == ["", clips.sources[0]]


def test_sounds_without_a_label_are_no_class() -> None:
    errors = make_errors([1, 9, 9])
    overall, table = summarize(errors, np.array(["a", "", ""]))
    assert overall["sounds"] == 3
    assert {label: row["sounds"] for label, row in table.items()} == {"a": 1}
    assert describe(overall, table, errors)[2:] == [
        "a: 1.00 dB (blind 10.00); 100% of the way, 1 sound",
        "The model comes at least half of the way to every class.",
    ]
