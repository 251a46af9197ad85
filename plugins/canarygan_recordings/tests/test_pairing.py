"""Which annotation is of which recording."""

import pytest
from canarygan_recordings import Recordings
from canarygan_recordings.annotations.pairing import holds_annotations
from songs import load, make_song, put_labels

from canarygan_core.errors import CanaryganError


def test_a_folder_is_claimed_where_recordings_and_annotations_lie_together(songs, tmp_path):
    assert Recordings.claims(songs[0].path.parent)
    make_song(tmp_path / "classes" / "a" / "1.wav")
    assert not Recordings.claims(tmp_path / "classes")
    (tmp_path / "classes" / "notes.txt").write_text("A good day.\n")
    assert not Recordings.claims(tmp_path / "classes")
    make_song(tmp_path / "koumura" / "Wave" / "0.wav")
    (tmp_path / "koumura" / "Annotation.xml").write_text("<Sequences></Sequences>")
    assert Recordings.claims(tmp_path / "koumura")
    assert not holds_annotations(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["bird.txt", "bird.wav.txt", "bird.labels.txt", "bird.Table.1.selections.txt"])
def test_an_annotation_is_found_by_its_name(tmp_path, name):
    song = make_song(tmp_path / "bird.wav")
    put_labels(tmp_path / name, song.segments)
    assert len(load(tmp_path)) == len(song.labels)


def test_an_annotation_elsewhere_is_found_by_its_name_in_folders_of_the_same_recordings(tmp_path):
    for day in ("monday", "tuesday"):
        song = make_song(tmp_path / day / "bird.wav", "ab", seed=len(day))
        put_labels(tmp_path / day / "bird.txt", song.segments)
    assert load(tmp_path).facts["recording"].tolist() == ["monday/bird.wav"] * 2 + ["tuesday/bird.wav"] * 2
    put_labels(tmp_path / "elsewhere.txt", [(0.01, 0.1, "z")])
    make_song(tmp_path / "below" / "elsewhere.wav")
    assert load(tmp_path, recordings=("below/elsewhere.wav",)).classes == ["z"]
    with pytest.raises(CanaryganError, match="no recording with its annotation"):
        load(tmp_path / "tuesday", annotations=tmp_path / "elsewhere.txt")
