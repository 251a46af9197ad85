"""Every format that can be written comes back to within a sample, and what crowsetta alone reads is read."""

import errno

import numpy as np
import pytest
import scipy.io
from canarygan_recordings.annotations.reading import find_format, read
from canarygan_recordings.annotations.writing import Labelled, name_files, write
from canarygan_recordings.formats import READ, WRITTEN

from canarygan_core.errors import CanaryganError

RATE = 32000
LABELS = ("a", "b", "1", "0", "B")


def labelled(folder, labels=LABELS, name="song.wav"):
    drawn = np.random.default_rng(3)
    times = np.cumsum(drawn.uniform(0.031, 0.12, 2 * len(labels)))
    segments = tuple((float(times[2 * n]), float(times[2 * n + 1]), label) for n, label in enumerate(labels))
    return Labelled(folder / name, RATE, float(times.max(initial=0)) + 0.5, segments)


@pytest.mark.parametrize("format", WRITTEN)
def test_what_is_written_comes_back_to_within_a_sample(tmp_path, format):
    song = labelled(tmp_path)
    (path,) = write(tmp_path, [song], format)
    assert [path] == name_files(tmp_path, [song.recording], format)
    assert find_format(path) == format
    (back,) = read(path)
    back = back.in_seconds(RATE)
    assert back.labels.tolist() == list(LABELS)
    for times, column in ((back.onsets, 0), (back.offsets, 1)):
        assert np.abs(times - [segment[column] for segment in song.segments]).max() <= 0.5 / RATE + 1e-9


@pytest.mark.parametrize("format", sorted(set(WRITTEN) - {"notmat"}))
@pytest.mark.parametrize("label", ["01", "NA", "nan", "None", "1.0", "two words", "tutti-frutti, #3"])
def test_labels_come_back_as_they_were_typed(tmp_path, format, label):
    """pandas reads 01 as the number 1 and NA as nothing."""
    (path,) = write(tmp_path, [labelled(tmp_path, ("a", label, "7"))], format)
    assert read(path)[0].labels.tolist() == ["a", label, "7"]


@pytest.mark.parametrize("format", WRITTEN)
def test_an_annotation_of_one_segment_and_one_of_none_come_back(tmp_path, format):
    (one,) = write(tmp_path / "one", [labelled(tmp_path, ("a",))], format)
    assert [len(found) for found in read(one)] == [1]
    (none,) = write(tmp_path / "none", [labelled(tmp_path, ())], format)
    assert sum(map(len, read(none))) == 0


def test_a_disk_that_fails_is_told_with_the_file(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("crowsetta.formats.seq.AudSeq.to_file", refuse)
    with pytest.raises(CanaryganError, match=r"Cannot write .*: Input/output error"):
        write(tmp_path, [Labelled(tmp_path / "a.wav", 16000, 1.0, ((0.1, 0.2, "A"),))], "aud-seq")
    assert not list(tmp_path.iterdir())


def test_two_recordings_share_a_table_and_never_a_file(tmp_path):
    songs = [labelled(tmp_path, "ab", "x.wav"), labelled(tmp_path, "ba", "y.wav")]
    (path,) = write(tmp_path, songs, "generic-seq")
    assert [(one.recording, one.labels.tolist()) for one in read(path)] == [
        (str(tmp_path / "x.wav"), ["a", "b"]),
        (str(tmp_path / "y.wav"), ["b", "a"]),
    ]
    with pytest.raises(CanaryganError, match="Two recordings have one name"):
        name_files(tmp_path, [tmp_path / "p" / "x.wav", tmp_path / "q" / "x.wav"], "textgrid")


@pytest.mark.parametrize(
    ("format", "segments", "told"),
    [
        ("notmat", ((0.1, 0.2, "ab"),), "labels of one character"),
        ("textgrid", ((0.1, 0.3, "a"), (0.2, 0.4, "b")), "no overlapping segments"),
        ("mp3", (), "No format named 'mp3'"),
    ],
)
def test_what_a_format_cannot_hold_is_told(tmp_path, format, segments, told):
    with pytest.raises(CanaryganError, match=told):
        write(tmp_path, [Labelled(tmp_path / "song.wav", RATE, 1.0, segments)], format)
    assert not list(tmp_path.glob("song*"))


def test_birdsong_recognition_counts_positions_from_the_sequence(tmp_path):
    note = "<Note><Position>{}</Position><Length>{}</Length><Label>{}</Label></Note>"
    sequence = "<Sequence><WaveFileName>{}</WaveFileName><Position>{}</Position><Length>9000</Length>{}</Sequence>"
    text = sequence.format("0.wav", 1000, note.format(10, 90, 0) + note.format(200, 100, 1))
    text += sequence.format("0.wav", 5000, note.format(30, 70, 2)) + sequence.format("1.wav", 0, note.format(5, 6, 0))
    (tmp_path / "Annotation.xml").write_text(f"<Sequences>{text}</Sequences>")
    first, second = read(tmp_path / "Annotation.xml")
    assert (first.recording, second.recording) == ("0.wav", "1.wav")
    assert first.in_samples
    assert first.onsets.tolist() == [1010, 1200, 5030]
    assert first.offsets.tolist() == [1100, 1300, 5100]
    assert first.in_seconds(1000).onsets.tolist() == [1.01, 1.2, 5.03]
    assert first.labels.tolist() == ["0", "1", "2"]


def test_yarden(tmp_path):
    element = {"segFileStartTimes": [0.5, 1.0], "segFileEndTimes": [0.75, 1.25], "segType": [3, 12], "fs": 16000}
    elements = np.empty(2, dtype=object)  # a cell array of structures
    elements[:] = [element, element]
    keys = np.array(["x.wav", "y.wav"], dtype=object)
    scipy.io.savemat(tmp_path / "annotation.mat", {"keys": keys, "elements": elements})
    first, second = read(tmp_path / "annotation.mat")
    assert (first.recording, second.recording) == ("x.wav", "y.wav")
    assert (first.onsets.tolist(), first.labels.tolist()) == ([0.5, 1.0], ["3", "12"])


def test_a_textgrid_of_several_tiers_asks_for_one(tmp_path):
    (path,) = write(tmp_path, [labelled(tmp_path, "ab")], "textgrid")
    text = path.read_text()
    tier = text[text.index("    item [1]") :]
    other = tier.replace("item [1]", "item [2]").replace('"syllables"', '"words"').replace('"a"', '"x"')
    path.write_text(text.replace("size = 1\n", "size = 2\n", 1) + other)
    with pytest.raises(CanaryganError, match=r"tiers syllables, words: choose one by --tier"):
        read(path)
    assert read(path, tier="words")[0].labels.tolist() == ["x", "b"]
    with pytest.raises(CanaryganError, match=r"no tier of intervals named 'none'"):
        read(path, tier="none")


def test_labels_of_audacity_without_text_are_unlabelled(tmp_path):
    (tmp_path / "song.txt").write_text("0.1\t0.2\ta\n0.3\t0.4\t\n0.5\t0.6\n")
    assert read(tmp_path / "song.txt")[0].labels.tolist() == ["a", "", ""]


@pytest.mark.parametrize("format", READ)
def test_a_file_of_another_kind_is_refused_with_its_name(tmp_path, format):
    ending = {"notmat": ".not.mat", "birdsong-recognition-dataset": ".xml", "textgrid": ".TextGrid"}
    ending |= {"timit": ".phn", "yarden": ".mat", "generic-seq": ".csv", "simple-seq": ".csv"}
    path = tmp_path / f"song{ending.get(format, '.txt')}"
    path.write_bytes(b"\x00\x01 neither this nor that\n\xff")
    with pytest.raises(CanaryganError, match=r"song\."):
        read(path, format)


def test_what_is_no_annotation_has_no_format(tmp_path):
    for name, text in {"notes.txt": "Bird sang well.\n", "table.csv": "day,bird\n1,2\n", "x.xml": "<a/>"}.items():
        (tmp_path / name).write_text(text)
        assert find_format(tmp_path / name) == ""
    with pytest.raises(CanaryganError, match="give --format, one of aud-bbox"):
        read(tmp_path / "notes.txt")
    with pytest.raises(CanaryganError, match=r"No format named 'audseq'.* Did you mean aud-seq"):
        read(tmp_path / "notes.txt", "audseq")
