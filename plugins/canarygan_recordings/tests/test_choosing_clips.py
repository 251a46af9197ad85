"""Which recordings and segments become clips, under which labels, and what cannot be chosen."""

import pytest
from canarygan_recordings import Recordings
from songs import load, put_labels

from canarygan_core.errors import CanaryganError, UsageError


def test_classes_are_chosen_renamed_and_limited(songs, tmp_path, told):
    folder = songs[0].path.parent
    assert load(folder, labels=("a,b",)).classes == ["a", "b"]
    assert load(folder, skip_labels=("a",)).classes == ["b", "c"]
    assert load(folder, rename=("a=b",)).classes == ["b", "c"]
    (tmp_path / "names.toml").write_text('a = "low"\nb = "low"\n')
    assert load(folder, rename=(str(tmp_path / "names.toml"),)).classes == ["c", "low"]
    limited = load(folder, limit=2)
    assert [(limited.labels == label).sum() for label in "abc"] == [2, 2, 2]
    assert load(folder, limit=2).sources.tolist() == limited.sources.tolist()
    assert load(folder, limit=2, data_seed=1).sources.tolist() != limited.sources.tolist()
    assert load(folder, recordings=("*_2.wav",)).facts["recording"].tolist() == ["bird_2.wav"] * 9
    assert set(load(folder, skip_recordings=("bird_2.*",)).facts["recording"].tolist()) == {"bird_1.wav"}
    put_labels(folder / "bird_1.txt", [*songs[0].segments, (0.0, 0.03, "rare")])
    assert load(folder, min_per_class=2).classes == ["a", "b", "c"]
    assert "fewer than 2 segments left out: rare 1" in told.text
    assert "rare" not in load(folder, shortest=40).labels
    assert load(folder, longest=40).classes == ["rare"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": ("e",)}, r"--labels e: no segment has it; there are a, b, c"),
        ({"skip_labels": ("a", "b", "c")}, "No segment is left"),
        ({"rename": ("a",)}, "give the old and the new label, such as a=b"),
        ({"rename": ("none.toml",)}, r"--rename none\.toml"),
        ({"recordings": ("robin*",)}, r"--recordings robin\*: no recording is named so"),
        ({"skip_recordings": ("*",)}, "No recording is left"),
        ({"format": "audacity"}, "No format named 'audacity'"),
        ({"annotations": "nowhere"}, "There is no annotation at --annotations"),
    ],
)
def test_what_cannot_be_chosen_is_told(songs, tmp_path, options, message):
    if "annotations" in options:
        options = {"annotations": tmp_path / options["annotations"]}
    with pytest.raises((CanaryganError, UsageError), match=message):
        load(songs[0].path.parent, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"before": -1},
        {"highpass": 9000.0},
        {"highpass": 700.0, "lowpass": 600.0},
        {"shortest": 50, "longest": 40},
        {"channel": 0},
        {"limit": -1},
        {"min_per_class": 0},
        {"max_length": float("nan")},
        {"gain": "loud"},
        {"sampling_rate": 10},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(CanaryganError, match="--"):
        Recordings(**options)
