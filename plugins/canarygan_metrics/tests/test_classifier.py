import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from canarygan_metrics.classifier import classifier
from canarygan_metrics.classifier.classifier import ClassifierListener
from canarygan_metrics.classifier.module import BatchRows, alter_some, rows_of_process, updates_per_epoch
from canarygan_metrics.scores.metrics import (
    KID,
    ClassBalance,
    DensityCoverage,
    Frechet,
    InceptionScore,
    PrecisionRecall,
)

from canarygan_core import runs
from canarygan_core.audio import NOTHING, Filter, hear
from canarygan_core.cli import main
from canarygan_core.clips import Clips, concatenate
from canarygan_core.errors import CanaryganError
from canarygan_core.testing import check_component, toy_clips

from .conftest import LEARNT, Toys


def test_it_learns_what_is_easy_and_says_how_well(toys: Toys) -> None:
    version = toys.classifier / "checkpoints" / "version_0"
    record = json.loads((version / "manifest.json").read_text())
    assert record["status"] == "finished"
    assert record["test"]["accuracy"] == 1
    assert record["test"]["clips"] == 6
    assert record["test"]["interval_95"][0] < 0.7
    with np.load(version / "metrics-inception.npz") as arrays:
        np.testing.assert_array_equal(arrays["confusion"], np.diag([2, 2, 2]))
    assert (version / "confusion-inception.png").stat().st_size > 5000
    kept = {path.name for path in (version / "all").glob("*.ckpt")}
    losses = json.loads((version / "all" / "losses.json").read_text())
    assert kept == losses.keys()
    assert len(kept) == 5
    assert {f"all/{name}" for name in kept} <= record["outputs"].keys()
    assert (version / "best" / "best.ckpt").read_bytes() == (version / "all" / min(losses, key=losses.get)).read_bytes()


def test_clips_are_classified_whatever_their_order_number_and_length(toys: Toys) -> None:
    trained = classifier.load(toys.classifier)
    clips = toy_clips(9, classes=3, samples=2048, seed=5)
    embeddings, posteriors = trained.classify(clips)
    assert embeddings.shape == (9, 128)
    assert [trained.classes[number] for number in posteriors.argmax(1)] == clips.labels.tolist()
    np.testing.assert_allclose(posteriors.sum(1), 1, atol=1e-5)
    order = np.array([3, 8, 0])
    for part, rows in ((clips.select(order), order), (clips.select(slice(4, 5)), slice(4, 5))):
        np.testing.assert_allclose(trained.classify(part)[1], posteriors[rows], atol=0.02)
    longer = replace(clips, audio=np.pad(clips.audio, ((0, 0), (0, 5000))))
    np.testing.assert_array_equal(trained.classify(longer)[1], posteriors)


def test_what_it_was_not_trained_on_is_known(toys: Toys) -> None:
    trained = classifier.load(toys.classifier)
    assert len(trained.held_out) == 6
    assert all((toys.data / source).is_file() for source in trained.held_out)


@pytest.mark.parametrize(
    "metric", [InceptionScore, Frechet, KID, PrecisionRecall, DensityCoverage, ClassBalance], ids=lambda one: one.name
)
def test_metrics_keep_the_contract_on_embeddings(metric, toys: Toys) -> None:
    options = {"n_split": 2} if metric is InceptionScore else {}
    check_component(metric, model_ckpt=toys.classifier, **options)


def test_a_listener_keeps_no_sound_and_equal_listeners_are_one(toys: Toys) -> None:
    clips = toy_clips(5, classes=3, samples=2048)
    listener = ClassifierListener(toys.classifier)
    heard = concatenate(listener(batch) for batch in clips.batches(2))
    assert heard.audio.shape == (5, 0)
    assert heard.facts["embedding"].shape == (5, 128)
    assert heard.origin["classes"] == ["s0", "s1", "s2"]
    assert heard.labels.tolist() == clips.labels.tolist()
    assert Frechet(model_ckpt=toys.classifier).listener() == KID(model_ckpt=toys.classifier).listener() == listener


def test_nan_audio_is_refused_by_name(toys: Toys) -> None:
    clips = toy_clips(3, samples=2048)
    clips.audio[1, 7] = np.nan
    with pytest.raises(CanaryganError, match=r"1 of 3 sounds hold NaN or infinite samples, such as s1/0001.wav"):
        classifier.load(toys.classifier).classify(clips)


def test_unknown_classes_are_refused_by_name(toys: Toys) -> None:
    trained = classifier.load(toys.classifier)
    trained.check_classes(["s0", "s2"])
    with pytest.raises(CanaryganError, match=r"does not know Q; it knows s0, s1, s2"):
        trained.check_classes(["s0", "Q"])


def test_files_that_are_no_classifier_are_refused_and_run_nothing(toys: Toys, tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    class Trap:
        def __reduce__(self):
            return Path.touch, (mark,)

    best = runs.find_checkpoint(toys.classifier, best=True)
    cut = tmp_path / "cut.ckpt"
    cut.write_bytes(best.read_bytes()[:5000])
    other = tmp_path / "other.ckpt"
    torch.save({"state_dict": {}, "wavegan": {}}, other)
    trap = tmp_path / "trap.ckpt"
    torch.save({"inception": Trap()}, trap)
    plain = tmp_path / "plain.ckpt"
    plain.write_bytes(pickle.dumps(Trap()))
    newer = tmp_path / "newer.ckpt"
    content = torch.load(best, weights_only=True)
    torch.save({**content, "inception": {**content["inception"], "schema": 99}}, newer)
    unlike = tmp_path / "unlike.ckpt"
    torch.save({**content, "inception": {**content["inception"], "classes": ["a"]}}, unlike)
    for path, told in {
        tmp_path / "none": "There is no checkpoint",
        cut: "cut short",
        other: "of no classifier of train-inception; it holds state_dict, wavegan",
        trap: "refused|damaged|no classifier",
        plain: "not a checkpoint",
        newer: "newer CanaryGAN",
        unlike: "do not fit its own description",
    }.items():
        with pytest.raises(CanaryganError, match=told):
            classifier.load(path)
    assert not mark.exists()


def test_a_training_that_was_stopped_ends_like_one_that_was_not(toys: Toys, tmp_path: Path) -> None:
    words = ["train-inception", "-d", str(toys.data), "-q", *LEARNT, "--no-early-stopping"]
    assert main.main([*words, "-s", str(tmp_path / "whole"), "--max-epochs", "4"]) == 0
    assert main.main([*words, "-s", str(tmp_path / "parts"), "--max-epochs", "2"]) == 0
    assert main.main(["train-inception", "--resume", "-s", str(tmp_path / "parts"), "--max-epochs", "4", "-q"]) == 0
    one, other = (
        torch.load(tmp_path / name / "checkpoints/version_0/last/last.ckpt", weights_only=True)
        for name in ("whole", "parts")
    )
    assert one["updates"] == other["updates"]
    assert one["progress"] == other["progress"]
    for name, weight in one["state_dict"].items():
        torch.testing.assert_close(other["state_dict"][name], weight, rtol=0, atol=0)
    rows = [(tmp_path / name / "logs/csv/version_0/metrics.csv").read_text() for name in ("whole", "parts")]
    assert rows[0] == rows[1]


def test_resuming_refuses_other_options_and_other_clips(toys: Toys, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "inception"
    shutil.copytree(toys.classifier, folder)
    resume = ["train-inception", "--resume", "-s", str(folder)]
    assert main.main([*resume, "--lr", "0.01"]) == 1
    assert "was started with --lr 0.0003, not 0.01" in capsys.readouterr().err
    data = tmp_path / "data"
    shutil.copytree(toys.data, data)
    next((data / "s0").iterdir()).unlink()
    assert main.main([*resume, "-d", str(data)]) == 1
    assert "The clips have changed" in capsys.readouterr().err


def test_it_stops_early_where_nothing_gets_better(toys: Toys, tmp_path: Path, capsys) -> None:
    words = ["train-inception", "-d", str(toys.data), "-s", str(tmp_path / "i"), *LEARNT]
    assert main.main([*words, "--lr", "0.5", "--patience", "1", "--max-epochs", "40"]) == 0
    assert "no progress for 1" in capsys.readouterr().err
    record = json.loads((tmp_path / "i/checkpoints/version_0/manifest.json").read_text())
    assert record["result"]["epochs"] < 40


def test_a_classifier_that_guesses_is_not_passed_over_in_silence(toys: Toys, tmp_path: Path, capsys) -> None:
    words = ["train-inception", "-d", str(toys.data), "-s", str(tmp_path / "i"), *LEARNT]
    assert main.main([*words, "--lr", "1e-9", "--max-epochs", "1"]) == 0
    assert "hardly better than chance" in capsys.readouterr().err
    record = json.loads((tmp_path / "i/checkpoints/version_0/manifest.json").read_text())
    assert "hardly better than chance" in record["warnings"][0]["message"]


@pytest.mark.parametrize(
    ("words", "told"),
    {
        "one class": (["-d", "ONE"], "needs at least two; these clips have only s0"),
        "learning rate": (["--lr", "0"], "--lr is 0: it may be above 0"),
        "share": (["--split", "1"], "--split is 1"),
        "patience": (["--patience", "0"], "--patience must be at least 1"),
        "topk": (["--save-topk", "0"], "--save-topk must be at least 1"),
        "devices": (["--batch-size", "1"], "--batch-size 1 cannot be shared by 1 devices"),
        "seconds": (["--seconds", "0.01"], "--seconds must be 0.128 to 10 s, not 0.01"),
    }.values(),
)
def test_what_cannot_be_learnt_is_said(words, told, toys: Toys, tmp_path: Path, capsys) -> None:
    one = tmp_path / "one"
    shutil.copytree(toys.data / "s0", one / "s0")
    given = [str(one) if word == "ONE" else word for word in words]
    data = [] if "-d" in given else ["-d", str(toys.data)]
    assert main.main(["train-inception", "-s", str(tmp_path / "i"), *data, *given]) in (1, 2)
    assert told in capsys.readouterr().err
    assert not list(tmp_path.glob("i/checkpoints/*/all/*"))


def test_a_dry_run_leaves_nothing(toys: Toys, tmp_path: Path, capsys) -> None:
    words = ["train-inception", "-d", str(toys.data), "-s", str(tmp_path / "i"), "--dry-run", *LEARNT]
    assert main.main(words) == 0
    assert "s an update: about" in capsys.readouterr().err
    assert not (tmp_path / "i").exists()


@pytest.mark.parametrize(("clips", "processes"), [(2, 1), (2, 3), (5, 3), (6, 3), (7, 3), (64, 2)])
def test_every_process_has_two_clips_of_a_batch_at_least_and_none_is_left_out(clips: int, processes: int) -> None:
    parts = [rows_of_process(np.arange(clips), processes, rank) for rank in range(processes)]
    assert min(map(len, parts)) >= 2
    assert set(np.concatenate(parts).tolist()) == set(range(clips))


def test_every_clip_is_seen_once_a_pass_and_rows_depend_on_the_update_alone() -> None:
    rows = np.arange(100, 126)
    batches = list(BatchRows(rows, 8, 3, 0, 8))
    assert updates_per_epoch(26, 8) == 4
    for epoch in (batches[:4], batches[4:]):
        np.testing.assert_array_equal(np.sort(np.concatenate(epoch)), rows)
    for late, batch in zip(BatchRows(rows, 8, 3, 5, 8), batches[5:], strict=True):
        np.testing.assert_array_equal(late, batch)
    assert updates_per_epoch(25, 8) == 3  # a last batch of one has no spread to normalise by
    assert updates_per_epoch(3, 8) == 1


def test_silence_is_classified_without_complaint(toys: Toys) -> None:
    silent = Clips(np.zeros((2, 2048), np.float32), 16000)
    _, posteriors = classifier.load(toys.classifier).classify(silent)
    assert np.isfinite(posteriors).all()


def test_a_share_of_the_clips_is_altered() -> None:
    clips = toy_clips(200, samples=2000)
    changed = (alter_some(clips, 0.5, np.random.default_rng(0)).audio != clips.audio).any(1)
    assert 70 < changed.sum() < 130
    np.testing.assert_array_equal(alter_some(clips, 0.0, np.random.default_rng(0)).audio, clips.audio)


def test_noise_under_filtered_clips_is_filtered() -> None:
    tone = np.sin(np.arange(8000) * 0.8).astype(np.float32)  # 2037 Hz
    clips = Clips(np.repeat(tone[None], 10, 0), 16000, origin=Filter(highpass=1500).origin)
    power = np.square(np.abs(np.fft.rfft(alter_some(clips, 1.0, np.random.default_rng(0)).audio * np.hanning(8000))))
    assert power[:, :450].sum() < 1e-4 * power.sum()


def test_a_classifier_does_not_hear_where_a_clip_was_cut(toys: Toys) -> None:
    clips = toy_clips(6, samples=2048)
    later = Clips(np.roll(np.pad(clips.audio, ((0, 0), (0, 1000))), 480, axis=1), clips.rate)
    known = classifier.load(toys.classifier)
    np.testing.assert_allclose(known.classify(later)[1], known.classify(clips)[1], atol=0.02)


@pytest.mark.parametrize("recorded", [Filter(highpass=700.0), Filter(), None])
def test_it_hears_sounds_filtered_as_its_clips_were(toys: Toys, tmp_path: Path, recorded: Filter | None) -> None:
    path = tmp_path / "best.ckpt"
    content = torch.load(toys.classifier / "checkpoints" / "version_0" / "best" / "best.ckpt", weights_only=True)
    assert content["inception"].pop("filter") == Filter().origin["filter"], "that of the clips it was trained on"
    if recorded is not None:  # None: a checkpoint from before there were filters
        content["inception"] |= recorded.origin
    torch.save(content, path)
    found, wanted = classifier.load(path), recorded or NOTHING
    assert found.filtering == wanted
    clips = toy_clips(12, classes=3, samples=2048, seed=5)
    rumble = np.sin(np.arange(2048) / 60, dtype=np.float32) + np.float32(0.5)
    humming = Clips(np.asarray(clips.audio) + rumble, clips.rate)
    filtered = hear(humming, wanted)
    for raw, ready in zip(found.classify(humming), found.classify(filtered), strict=True):
        np.testing.assert_array_equal(raw, ready)
    assert (filtered is humming) == (recorded is None)
