"""Trained decoders on disk: whole and known or refused, and how they label, vote and agree."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_decoders import CLASSES, RATE, FittedPitch, Pitch, tone

from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.fitted import decoders
from canarygan_core.plugins import Registry
from canarygan_core.runs import seals


@pytest.fixture
def registry(offer: Callable[..., Registry]) -> Registry:
    return offer(Pitch)


def change(folder: Path, **keys: Any) -> None:
    record = json.loads((folder / decoders.RECORD).read_text())
    (folder / decoders.RECORD).write_text(seals.dump(record | keys))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"schema": 99}, "newer CanaryGAN"),
        ({"schema": "x"}, "is not the record of a decoder: schema is 'x', and not a whole number"),
        ({"classes": []}, "names no component, or no class"),
        ({"classes": ["a", "b", "c"]}, "contradicts itself"),
        ({"files": {"../../etc/passwd": "sha256:0"}}, "is missing"),
        ({"files": {"state.npz": "sha256:0"}}, "cut short or changed"),
        ({"decoder": {"name": "pitsch"}}, "is of decoder pitsch, which is not installed"),
        ({"threshold": None}, "threshold is null, and not a number"),
    ],
)
def test_records_that_cannot_be_trusted(keys: dict[str, Any], said: str, trained: Path, registry: Registry) -> None:
    change(trained / "one", **keys)
    with pytest.raises(CanaryganError, match=said.replace("?", r"\?")):
        decoders.load(trained / "one", registry)


def test_a_record_with_a_flipped_byte_is_refused(trained: Path, registry: Registry) -> None:
    path = trained / "one" / decoders.RECORD
    content = path.read_bytes()
    for at in range(0, len(content), 7):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(CanaryganError, match=f"{decoders.RECORD} is not the file that was written"):
            decoders.load(trained / "one", registry)


def test_a_folder_of_something_else_is_neither_read_nor_replaced(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(CanaryganError, match="train-decoders makes one"):
        decoders.load_all([tmp_path / "mine"], registry)
    with pytest.raises(CanaryganError, match="is no decoder"):
        decoders.save(tmp_path / "mine", Pitch(), FittedPitch(CLASSES, 1.0))
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "thesis.txt"]


def test_two_of_one_name_take_their_folders(trained: Path, tmp_path: Path, registry: Registry) -> None:
    assert [one.key for one in decoders.load_all([trained], registry)] == ["one", "two"]
    assert [one.key for one in decoders.load_all([trained / "two"], registry)] == ["pitch"]
    (tmp_path / "other").mkdir()
    (trained / "two").rename(tmp_path / "other" / "one")
    with pytest.raises(UsageError, match="Two decoders are called one"):
        decoders.load_all([trained / "one", tmp_path / "other" / "one"], registry)


def test_a_draft_has_no_vote_and_what_was_only_set_aside_has_one(trained: Path, registry: Registry) -> None:
    shutil.copytree(trained / "one", trained / ".three.01234567.part")
    (trained / "two").rename(trained / ".two.89abcdef.old")
    shutil.copytree(trained / "one", trained / ".hidden")
    assert [one.key for one in decoders.load_all([trained], registry)] == ["one", "two"]
    assert sorted(path.name for path in trained.iterdir()) == [".hidden", "one", "two"]


def test_labels_margins_and_consensus() -> None:
    posteriors = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]])
    assert decoders.pick_labels(posteriors, "abc").tolist() == ["a", "c"]
    np.testing.assert_allclose(decoders.compute_margins(posteriors), [0.5, 0.1])
    votes = [np.array(["a", "a", "X"]), np.array(["b", "a", "b"]), np.array(["a", "c", "c"])]
    sure = [np.array([0.5, 0.5, 0.5]), np.array([0.9, 0.5, 0.6]), np.array([0.1, 0.9, 0.7])]
    labels, agreement = decoders.find_consensus(votes, sure)
    assert labels.tolist() == ["a", "a", "c"]
    np.testing.assert_allclose(agreement, [2 / 3, 2 / 3, 1 / 3])


def test_the_threshold_rejects_at_most_its_share() -> None:
    best = np.linspace(0.5, 1, 101)
    limit = decoders.choose_threshold(np.c_[best, 1 - best], 0.02)
    assert (best < limit).sum() == 2
    assert decoders.choose_threshold(np.empty((0, 2)), 0.02) == 0


def test_garbage_and_doubt_become_x(trained: Path) -> None:
    fitted = FittedPitch(("a", "WN"), 1.0)
    one = decoders.TrainedDecoder("k", fitted, ("a", "WN"), 0.7, ("WN",), trained, {})
    posteriors = np.array([[0.9, 0.1], [0.6, 0.4], [0.1, 0.9], [0.5, 0.5]])
    assert one.vote(posteriors).tolist() == ["a", "X", "X", "X"]
    assert one.label(posteriors).tolist() == ["a", "a", "WN", "X"]


def test_sounds_not_finite_or_silent_are_x_and_reach_no_decoder(trained: Path, registry: Registry) -> None:
    one = decoders.load(trained / "one", registry)
    strange = np.stack([tone(1000), np.full(1600, np.nan, np.float32), np.zeros(1600, np.float32)])
    posteriors = one.posteriors(Clips(strange, RATE))
    assert one.label(posteriors).tolist() == ["low", "X", "X"]
