"""`score`: which metrics are asked, with which options, and what their record says."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from toy_metrics import HEARD

from canarygan_core import audio
from canarygan_core.audio.noise import draw_white_noise
from canarygan_core.cli import main
from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError
from canarygan_core.evaluation import streaming
from canarygan_core.runs import Request, open_run
from canarygan_core.testing import toy_clips


def test_every_installed_metric_is_asked_and_those_that_cannot_listen_are_left_out(ask, archive):
    code, record, said = ask(archive)
    assert code == 0
    assert set(record["metrics"]) == {"blind", "loudness", "peak", "trough", "wanting"}
    assert "give -m" in record["metrics"]["wanting"]["error"]
    assert "Left out: wanting: " in said.err
    assert record["metrics"]["peak"]["scores"]["labelled"] == 1
    assert record["generated"]["clips"] == 250
    assert record["reference"]["clips"] == 12


def test_metrics_of_equal_listeners_share_one_and_no_more_than_a_batch_is_heard_at_a_time(ask, archive):
    ask(archive, "--metric", "peak", "--metric", "trough", "--no-context")
    assert max(HEARD) <= 256
    assert sum(HEARD) == 250 + 12


def test_as_many_real_sounds_and_noise_stand_beside(ask, archive):
    _, record, said = ask(archive, "--metric", "loudness")
    told = record["metrics"]["loudness"]
    assert abs(told["context"]["real"]["difference"]) < 3
    assert told["context"]["noise"]["difference"] > abs(told["context"]["real"]["difference"]) + 0.3
    assert "real, 95 %" in said.out
    assert "white noise" in said.out
    _, record, _ = ask(archive, "--metric", "loudness", "--no-context", "--overwrite")
    assert "context" not in record["metrics"]["loudness"]


def test_options_and_the_seed_reach_the_metrics(ask, archive):
    _, record, _ = ask(archive, "--metric", "loudness", "--loudness.offset", "100", "--seed", "3")
    told = record["metrics"]["loudness"]
    assert told["options"] == {"offset": 100.0, "seed": 3}
    assert told["scores"]["seed"] == 3
    _, record, _ = ask(archive, "--metric", "loudness", "--loudness.seed", "5", "--seed", "3", "--overwrite")
    assert record["metrics"]["loudness"]["scores"]["seed"] == 5


def test_the_model_to_listen_with_is_given_to_those_that_want_one(ask, archive, tmp_path):
    _, record, _ = ask(archive, "--metric", "wanting", "-m", "abc")
    assert record["metrics"]["wanting"]["scores"]["path"] == 3
    _, record, _ = ask(archive, "--metric", "wanting", "-m", "abc", "--wanting.model-ckpt", "own", "--overwrite")
    assert record["metrics"]["wanting"]["options"]["model_ckpt"] == "own"


def test_the_models_that_metrics_listen_with_are_recorded_and_verified(ask, archive, tmp_path, capsys):
    def put(path, content):
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as checkpoint:
            checkpoint.writestr("weights", content)

    with open_run(tmp_path / "inception", Request("train")) as run:
        for path in (run.best, run.last, tmp_path / "own.ckpt"):
            put(path, path.stem)
    place = tmp_path / "scores"
    manifest = place / "manifest.json"

    def list_models(*words):
        ask(archive, "--no-context", "--overwrite", *words)
        inputs = json.loads(manifest.read_text())["inputs"]
        return {name: Path(one["path"]) for name, one in inputs.items() if name.startswith("model")}

    given = ("-m", tmp_path / "inception")
    assert list_models("--metric", "peak", *given) == {}
    own = ("--wanting.model-ckpt", tmp_path / "own.ckpt")
    assert list_models("--metric", "wanting", *given, *own) == {"model": tmp_path / "own.ckpt"}
    assert list_models("--metric", "wanting", *given) == {"model": run.best}
    assert main.main(["verify", str(place), "--no-data"]) == 0
    put(run.best, "of another training")
    assert main.main(["verify", str(place), "--no-data"]) == 1
    assert f"{run.best} is not the file that score read for {manifest}." in capsys.readouterr().out


def test_a_metric_without_a_score_loses_nothing_of_the_others(ask, tmp_path):
    audio.write(tmp_path / "one.wav", toy_clips(1, samples=2000).audio[0], 16000)
    code, record, said = ask(tmp_path / "one.wav", "-m", "abc")
    assert code == 1
    assert record["metrics"]["wanting"]["error"] == "wanting needs 4 clips at least."
    assert "scores" in record["metrics"]["peak"]
    manifest = json.loads((tmp_path / "scores" / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert any("wanting needs 4 clips" in warning["message"] for warning in manifest["warnings"])
    assert "wanting needs 4 clips" in said.err


def test_where_no_metric_has_a_score_nothing_is_left_in_the_way(ask, archive, tmp_path):
    audio.write(tmp_path / "one.wav", toy_clips(1, samples=2000).audio[0], 16000)
    words = ("--metric", "wanting", "-m", "abc")
    code, record, said = ask(tmp_path / "one.wav", *words)
    assert (code, record) == (1, None)
    assert "No metric gave a score:\nwanting needs 4 clips" in said.err
    assert ask(archive, *words)[0] == 0


def test_a_model_that_no_metric_listens_with_is_said(ask, archive):
    assert "-m abc: none of these metrics" in ask(archive, "--metric", "peak", "-m", "abc")[2].err
    assert "none of these metrics" not in ask(archive, "--metric", "wanting", "-m", "abc", "--overwrite")[2].err


def test_resamplings_are_told_and_may_be_left_out(ask, archive):
    _, record, _ = ask(archive, "--metric", "loudness", "--resamplings", "20")
    null = record["metrics"]["loudness"]["null"]
    assert (null["generated"], null["reference"], null["resamplings"]) == (6, 6, 20)
    assert set(null["scores"]["difference"]) >= {"score", "low", "high", "p", "p_corrected", "verdict"}
    assert record["tests"]["tests"] == 2
    _, record, said = ask(archive, "--metric", "loudness", "--resamplings", "0", "--overwrite")
    assert "null" not in record["metrics"]["loudness"]
    assert "noise" in record["metrics"]["loudness"]["context"]
    code, _, said = ask(archive, "--metric", "loudness", "--resamplings", "5", "--overwrite")
    assert code == 2
    assert "--resamplings is 5: 20 to 10000, or 0 for none" in said.err


def test_scores_that_are_there_are_kept(ask, archive):
    assert ask(archive, "--metric", "peak")[0] == 0
    code, _, said = ask(archive, "--metric", "peak")
    assert code == 1
    assert "is there already" in said.err


def test_noise_has_the_peak_of_the_clips_and_another_seed_makes_another():
    clips = toy_clips(20, samples=500)
    noise = draw_white_noise(clips, 1)
    assert noise.audio.shape == (20, 500)
    np.testing.assert_allclose(np.abs(noise.audio).max(1), np.abs(clips.audio).max(1).mean(), rtol=1e-5)
    assert not np.array_equal(noise.audio, draw_white_noise(clips, 2).audio)


def test_halves_share_every_class_and_leave_nothing_out():
    clips = toy_clips(20, classes=2)
    one, other = streaming.split_halves(clips, 0)
    np.testing.assert_array_equal(np.sort(np.concatenate([one, other])), np.arange(20))
    assert sorted(np.unique(clips.labels[one], return_counts=True)[1]) == [5, 5]
    with pytest.raises(CanaryganError, match="cannot be halved"):
        streaming.split_halves(Clips(np.zeros((1, 9), np.float32), 16000), 0)
