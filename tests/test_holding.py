"""Clips that a model is not trained on: which they are, what belongs together, the record, and going on with a run."""

import json
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from canarygan_core import Model
from canarygan_core.cli import main
from canarygan_core.clips import Clips
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError
from canarygan_core.evaluation import accuracy, holding
from canarygan_core.testing import toy_clips

SEEN = []


@dataclass(frozen=True)
class Noting(Model):
    """Notes what it is trained on."""

    name: ClassVar[str] = "noting"

    def train(self, clips, run, *, training):
        SEEN.append(clips)
        run.last.parent.mkdir(exist_ok=True)
        run.last.write_text("")

    @classmethod
    def load(cls, checkpoint, *, device="cpu"):
        raise CanaryganError("It makes no sounds.")


@pytest.fixture
def train(installed, monkeypatch, tmp_path, capsys):
    """A function that trains on four classes of ten clips; gives the exit code, what was said, and the manifest."""
    installed(Noting)
    monkeypatch.chdir(tmp_path)
    words = ["train-gan", "--model", "noting", "--dataset", "synthetic", "--syllables", "4"]

    def run(*more, per_class=10):
        SEEN.clear()
        code = main.main([*words, "--per-class", str(per_class), *map(str, more)])
        path = tmp_path / "runs" / "checkpoints" / "version_0" / "manifest.json"
        return code, capsys.readouterr().err, json.loads(path.read_text()) if path.is_file() else None

    return run


def test_a_model_is_trained_on_all_clips_but_those_that_are_held_out(train):
    code, _, manifest = train("--hold-out", 0.1)
    assert code == 0
    (seen,), record = SEEN, manifest["held_out"]
    assert len(seen) == 36
    assert (record["clips"], record["share"], record["seed"], record["groups"]) == (4, 0.1, 0, None)
    assert not {*record["sources"]} & {*seen.sources.tolist()}
    assert len({*record["sources"]} | {*seen.sources.tolist()}) == 40
    assert [name.partition("/")[0] for name in record["sources"]] == sorted(seen.classes)
    assert record["fingerprint"] == holding.compute_fingerprint(record["sources"][::-1])
    assert train("--version", "other")[2]["options"]["task"]["hold_out"] == 0.1
    assert len(SEEN[0]) == 40


def test_a_training_that_goes_on_leaves_the_same_clips_out_and_refuses_others(train):
    _, _, first = train("--hold-out", 0.2, "--seed", 3)
    sources = SEEN[0].sources
    code, _, again = train("--resume", "--max-epochs", 2000)
    assert code == 0
    np.testing.assert_array_equal(SEEN[0].sources, sources)
    assert again["held_out"] == first["held_out"]
    for words, said in {
        ("--hold-out", 0.1): "with --hold-out 0.2, not 0.1",
        ("--group-by", "folder"): "with --group-by auto, not folder",
        ("--seed", 4): "with --seed 3, not 4",
    }.items():
        code, told, _ = train("--resume", *words)
        assert code == 1
        assert said in told
    assert not SEEN


def test_a_training_from_before_the_option_goes_on_without_it(train, tmp_path):
    train()
    path = tmp_path / "runs" / "checkpoints" / "version_0" / "manifest.json"
    manifest = json.loads(path.read_text())
    for name in ("hold_out", "group_by"):
        del manifest["options"]["task"][name]
    path.write_text(json.dumps(manifest))
    assert "was started before there was --hold-out" in train("--resume", "--hold-out", 0.1)[1]
    assert train("--resume")[0] == 0
    assert len(SEEN[0]) == 40


@pytest.mark.parametrize(
    ("words", "told"),
    {
        "share": (["--hold-out", "1"], "--hold-out is 1: the share of clips"),
        "negative": (["--hold-out", "-0.1"], "--hold-out is -0.1"),
        "no group": (["--hold-out", "0.1", "--group-by", "rec"], "40 of 40 clips have no such part in their names"),
        "no number": (["--hold-out", "0.1", "--group-by", "recording"], "such as A/0000.wav"),
        "one group": (["--hold-out", "0.1", "--group-by", "wav"], "all clips are of one group, wav"),
        "pattern": (["--hold-out", "0.1", "--group-by", "("], "no regular expression"),
    }.values(),
)
def test_what_cannot_be_held_out_is_said_and_leaves_no_version(train, tmp_path, words, told):
    code, said, manifest = train(*words)
    assert code == 1
    assert told in said
    assert manifest is None


def test_classes_of_one_clip_cannot_be_held_out(train):
    code, said, manifest = train("--hold-out", 0.1, per_class=1)
    assert (code, manifest) == (1, None)
    assert "4 clips are too few to hold one out of each class" in said


NAMES = ["a/bird1_2020-05-01_rec12_0003.wav", "b/bird1_2020-05-01_rec12_0004.wav", "a/bird2_2020-05-02_rec1_7.wav"]


@pytest.mark.parametrize(
    ("group_by", "expected"),
    [
        ("recording", ["bird1_2020-05-01_rec12", "bird1_2020-05-01_rec12", "bird2_2020-05-02_rec1"]),
        (r"\d{4}-\d\d-\d\d", ["2020-05-01", "2020-05-01", "2020-05-02"]),
        (r"(bird\d+)_.*(rec\d+)", ["bird1|rec12", "bird1|rec12", "bird2|rec1"]),
        ("session", ["x", "y", "y"]),
    ],
)
def test_groups_are_found_in_names_and_facts(group_by, expected):
    clips = Clips(
        np.zeros((3, 4), np.float32), 16000, sources=np.array(NAMES), facts={"session": np.array(["x", "y", "y"])}
    )
    assert holding.find_groups(clips, group_by).tolist() == expected


def test_auto_takes_the_groups_that_the_dataset_knows():
    clips = toy_clips(4)
    assert holding.find_groups(clips) is None
    known = replace(clips, facts={"group": np.array([5, 5, 6, 7])})
    assert holding.find_groups(known).tolist() == ["5", "5", "6", "7"]
    assert holding.find_groups(known, "none") is None
    alone = holding.find_groups(known, alone=np.array([False, False, True, False]))
    assert alone.tolist() == ["5", "5", "clip 2", "7"]


def test_folders_below_a_class_are_groups():
    clips = Clips(np.zeros((2, 4), np.float32), 16000, sources=np.array(["a/mon/1.wav", "b/tue/x/1.wav"]))
    assert holding.find_groups(clips, "folder").tolist() == ["mon", "tue/x"]
    with pytest.raises(CanaryganError, match=r"1 of 2 clips .* such as a/1.wav"):
        holding.find_groups(replace(clips, sources=np.array(["a/1.wav", "b/tue/1.wav"])), "folder")


@pytest.mark.parametrize("seed", range(5))
def test_whole_groups_are_held_out_and_each_class_keeps_about_its_share(seed):
    rng = np.random.default_rng(seed)
    groups = np.array([f"rec{number}" for number in rng.integers(0, 40, 1000)])
    labels = np.array(["a", "b", "c", "d"])[rng.choice(4, 1000, p=[0.4, 0.3, 0.2, 0.1])]
    train, test = accuracy.split(labels, 0.2, seed, groups)
    assert not {*groups[train]} & {*groups[test]}
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(1000))
    for label in "abcd":
        # a group holds 25 clips of 1000, so shares can be had to about half of that; a class of 100 varies by more
        assert (labels[test] == label).sum() / (labels == label).sum() == pytest.approx(0.2, abs=0.08), label
    np.testing.assert_array_equal(accuracy.split(labels, 0.2, seed, groups)[1], test)


def test_a_class_that_one_group_holds_is_not_held_out_and_large_groups_are_spared_to_one():
    labels, groups = np.repeat(["a", "b"], 30), np.repeat(["1", "2", "3"], 20)
    labels[20:40] = "a"
    with pytest.raises(CanaryganError, match="No group of 2 can be held out: each holds all clips of some class"):
        accuracy.split(np.repeat(["a", "b"], 5), 0.1, 0, np.repeat(["1", "2"], 5))
    _, test = accuracy.split(labels, 0.1, 0, groups)
    assert len({*groups[test]}) == 1
    assert "b" not in labels[test]


def test_a_set_that_is_memory_mapped_stays_so(data, kept):
    clips = Folder(data_dir=data).load()
    from canarygan_core.datasets import cache

    rows = np.array([0, 2, 5])
    rest = cache.keep_rows(clips.audio, rows)
    assert isinstance(rest, np.memmap)
    np.testing.assert_array_equal(rest, clips.audio[rows])
    assert cache.keep_rows(clips.audio, rows).filename == rest.filename
    assert cache.keep_rows(clips.audio, rows[:2]).filename != rest.filename


def test_clips_of_other_data_are_not_taken_for_unseen_ones(caplog):
    clips = toy_clips(6)
    names = clips.sources[[1, 4]].tolist()
    np.testing.assert_array_equal(np.flatnonzero(holding.find_unseen(clips, names)), [1, 4])
    assert holding.find_unseen(clips, None) is None
    assert holding.find_unseen(clips, [*names, "elsewhere.wav"]) is None
    assert "these are other data than it was trained on" in caplog.text
    marked = holding.mark_unseen(clips, holding.find_unseen(clips, names))
    assert marked.facts["unseen"].sum() == 2
    assert holding.mark_unseen(clips, None) is clips
