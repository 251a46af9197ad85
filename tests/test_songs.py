"""Recordings taken apart before they are decoded: by an annotator, or by a table."""

import logging
from pathlib import Path

import numpy as np
import pytest

from canarygan_core import audio
from canarygan_core.audio import sounds
from canarygan_core.audio.songs import collect_songs
from canarygan_core.audio.stretches import is_table
from canarygan_core.errors import CanaryganError

RATE = 16000


class Toy:
    """Finds the same in every recording, and reads an annotation of one segment."""

    def __init__(self, found=((0.1, 0.2, ""), (0.5, 0.6, ""))):
        self.found = list(found)

    def find(self, recording, channel=None):
        return [(onset + (channel or 0), offset + (channel or 0), label) for onset, offset, label in self.found]

    def read(self, path, recordings):
        return {one: [(0.25, 0.5, "a")] for one in recordings}


@pytest.fixture
def folder(tmp_path):
    drawn = np.random.default_rng(0)
    for name, seconds in (("long.wav", 2.0), ("short.wav", 0.5), ("exact.wav", 1.0)):
        audio.write(tmp_path / name, drawn.uniform(-0.5, 0.5, round(seconds * RATE)), RATE)
    return tmp_path


def spans(found):
    return {(Path(one.file).name, one.onset, one.offset if not one.whole else "whole") for one in found}


def test_what_is_longer_than_a_clip_is_taken_apart_and_told(folder, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("canarygan"), "propagate", True)
    caplog.set_level(logging.INFO, "canarygan")
    found = collect_songs([folder], None, Toy(), seconds=1.0, context=(0.01, 0.02))
    assert spans(found) == {
        ("exact.wav", 0.0, "whole"),
        ("long.wav", 0.1, 0.2),
        ("long.wav", 0.5, 0.6),
        ("short.wav", 0.0, "whole"),
    }
    assert {(one.before, one.after) for one in found if not one.whole} == {(0.01, 0.02)}
    assert {(one.before, one.after) for one in found if one.whole} == {(0.0, 0.0)}
    assert "long.wav: longer than a clip, so 2 syllables were found in it first" in caplog.text


def test_sounds_are_found_in_the_channel_asked_for(folder):
    found = collect_songs([folder / "long.wav"], None, Toy([(0.1, 0.2, "")]), seconds=1.0, channel=1)
    assert spans(found) == {("long.wav", 1.1, 1.2)}


def test_without_an_annotator_all_is_as_it_was(folder):
    assert {span[2] for span in spans(collect_songs([folder], None, None, seconds=1.0))} == {"whole"}


def test_a_recording_in_which_nothing_sounds(folder):
    with pytest.raises(CanaryganError, match=r"No syllable was found in long\.wav: give an annotation by --onsets"):
        collect_songs([folder / "long.wav"], None, Toy(()), seconds=1.0)
    rest = collect_songs([folder], None, Toy(()), seconds=1.0)
    assert spans(rest) == {("exact.wav", 0.0, "whole"), ("short.wav", 0.0, "whole")}


def test_onsets_are_a_table_or_what_the_annotator_reads(folder):
    (folder / "table.csv").write_text("onset,offset\n0.3,0.4\n")
    (folder / "labels.txt").write_text("0.25\t0.5\ta\n")
    paths = [folder / "long.wav"]
    assert spans(collect_songs(paths, folder / "table.csv", Toy(), seconds=1.0)) == {("long.wav", 0.3, 0.4)}
    assert spans(collect_songs(paths, folder / "labels.txt", Toy(), seconds=1.0)) == {("long.wav", 0.25, 0.5)}
    with pytest.raises(CanaryganError, match="must have the columns onset and offset"):
        collect_songs(paths, folder / "labels.txt", None, seconds=1.0)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("onset,offset\n", True),
        ("\ufefffile; onset ;offset\n", True),
        ("onset\toffset\tx\n", True),
        ("0.1\t0.2\n", False),
    ],
)
def test_what_is_a_table(tmp_path, text, is_one):
    (tmp_path / "table").write_text(text, encoding="utf-8")
    assert is_table(tmp_path / "table") == is_one
    assert not is_table(tmp_path / "none")


def test_the_sound_around_a_stretch_stops_at_the_beginning(folder):
    (found,) = collect_songs([folder / "long.wav"], None, Toy([(0.005, 0.1, "")]), seconds=1.0, context=(0.01, 0.01))
    ((_, clips, problems),) = sounds.read_clips([found], audio.Hearing(RATE, round(0.2 * RATE)))
    whole = audio.read(folder / "long.wav", RATE, filtering=audio.NOTHING).audio
    assert not problems
    np.testing.assert_array_equal(clips.audio[0, : round(0.11 * RATE)], whole[: round(0.11 * RATE)])
    assert not clips.audio[0, round(0.11 * RATE) :].any()
