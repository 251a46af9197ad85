"""The task `invert`, by the command line: what it reads, leaves, says and refuses."""

import csv
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canarygan_latents.inversion import archive, listening

from canarygan_core import CanaryganError, audio, load
from canarygan_core.cli import main

FEW = {"--candidates": "60", "--starts": "2", "--steps": "4", "--batch-size": "4", "--own": "2"}
"""Options that invert in moments."""

Invert = Callable[..., Any]


@pytest.fixture
def invert(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Invert:
    """A function of further words that gives the answer, or the message where the command fails."""
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))

    def run(*words: object) -> Any:
        few = [word for name, value in FEW.items() if name not in words for word in (name, value)]
        told = ["invert", *map(str, words), "-x", str(checkpoint), "-s", str(tmp_path / "inverted"), *few, "--json"]
        code = main.main(told)
        out, err = capsys.readouterr()
        return json.loads(out) if code == 0 else (code, err)

    return run


@pytest.fixture(scope="module")
def generated(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of six sounds of the checkpoint."""
    folder = tmp_path_factory.mktemp("generated")
    assert main.main(["generate", "-x", str(checkpoint), "-n", "6", "-s", str(folder), "-q"]) == 0
    return next(folder.glob("*.npz"))


def read_table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_without_sounds_the_clips_that_were_held_out_are_taken(invert: Invert, tmp_path: Path) -> None:
    answer = invert("--wav")
    assert answer["sounds"] == 2
    assert set(answer["by_class"]) == {"high", "low"}
    assert answer["overall"]["sounds"] == 2
    path = Path(answer["path"])
    with np.load(path) as found:
        assert found["sources"].tolist() == ["high/7.wav", "low/7.wav"]
        assert found["labels"].tolist() == ["high", "low"]
        assert found["z"].shape == (2, 3)
        assert found["x"].shape == (2, 4096)
        assert found["held_out"].tolist() == ["high/7.wav", "low/7.wav"]
        assert found["reachable"].shape == (2,)
        errors, nearest, z = found["error"], found["nearest"].tolist(), found["z"]
        assert (found["nearest_error"] < found["random_error"]).all()
    assert [name.split("/")[0] for name in nearest] == ["high", "low"]
    assert not {"high/7.wav", "low/7.wav"} & set(nearest)
    rows = read_table(path.with_suffix(".csv"))
    assert [row["label"] for row in rows] == ["high", "low"]
    np.testing.assert_allclose([float(row["error"]) for row in rows], errors, atol=1e-3)
    np.testing.assert_allclose([[float(row[f"z{one}"]) for one in (1, 2, 3)] for row in rows], z, atol=1e-6)
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    waves = sorted(path.with_suffix("").glob("*.wav"))
    assert [wave.name for wave in waves] == ["0.wav", "1.wav"]
    assert audio.read(waves[0], 16000).audio.shape == (4096,)
    assert main.main(["verify", str(path)]) == 0
    waves[1].write_bytes(waves[0].read_bytes())
    assert main.main(["verify", str(path)]) == 1


def test_latents_of_an_archive_are_found_and_make_its_sounds_again(
    invert: Invert, generated: Path, checkpoint: Path, tmp_path: Path
) -> None:
    answer = invert(generated)
    path = Path(answer["path"])
    assert answer["sounds"] == 6
    assert main.main(["generate", "-x", str(checkpoint), "-z", str(path), "-s", str(tmp_path / "again"), "-q"]) == 0
    with np.load(path) as found, np.load(next((tmp_path / "again").glob("*.npz"))) as again:
        np.testing.assert_allclose(again["x"], found["x"], atol=1e-5)
        assert found["sources"].tolist() == [f"{generated}#{row}" for row in range(6)]
        assert "labels" not in found
        assert np.isfinite(found["nearest_error"]).all()
        assert (found["error"] < found["random_error"]).all()
        clips = load(path)
        assert np.array_equal(clips.audio, found["x"])
        assert np.array_equal(clips.latents, found["z"])
        assert np.array_equal(clips.facts["error"], found["error"])
    with pytest.raises(CanaryganError, match="it has no gain"):
        archive.load(generated)


def test_equal_words_give_equal_files_and_another_seed_others(invert: Invert, generated: Path, tmp_path: Path) -> None:
    contents = []
    for seed in (0, 0, 1):
        path = Path(invert(generated, "--seed", seed, "--overwrite")["path"])
        contents.append((path.read_bytes(), path.with_suffix(".csv").read_bytes()))
    assert contents[0] == contents[1]
    assert contents[0][0] != contents[2][0]


def test_verify_walks_from_the_archive_to_the_checkpoint(
    invert: Invert, generated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(invert(generated)["path"])
    assert main.main(["verify", str(path), "--json"]) == 0
    checked = json.loads(capsys.readouterr().out)["checked"]
    assert {Path(one).suffix for one in checked} >= {".npz", ".csv", ".png", ".ckpt"}
    assert str(generated.resolve()) in checked
    table = path.with_suffix(".csv")
    table.write_text(table.read_text().replace("0", "1", 1))
    assert main.main(["verify", str(path)]) == 1


@pytest.mark.parametrize(
    "labels", [np.array(["a"]), np.array("high"), np.array([["a", "b"], ["c", "d"]]), np.array([0.5, 1.5])]
)
def test_labels_that_are_none_of_these_sounds_are_refused(invert: Invert, tmp_path: Path, labels: np.ndarray) -> None:
    np.savez(tmp_path / "told.npz", x=np.zeros((2, 4096), np.float32), labels=labels)
    code, err = invert(tmp_path / "told.npz")
    assert code == 1
    assert "labels" in err
    assert "told.npz" in err


def test_a_label_that_looks_like_a_formula_is_drawn(invert: Invert, tmp_path: Path) -> None:
    sounds = np.random.default_rng(0).uniform(-1, 1, (2, 4096)).astype(np.float32)
    np.savez(tmp_path / "told.npz", x=sounds, labels=np.array(["$x_$", r"$\frac$"]))
    answer = invert(tmp_path / "told.npz")
    assert {*answer["by_class"]} == {"$x_$", r"$\frac$"}


def test_files_are_labelled_by_their_folder(invert: Invert, data: Path, tmp_path: Path) -> None:
    for label in ("new", "other"):
        audio.write(tmp_path / "sounds" / label / "a.wav", audio.read(data / "low" / "0.wav", 16000).audio, 16000)
    audio.write(tmp_path / "alone" / "b.wav", audio.read(data / "low" / "1.wav", 16000).audio, 16000)
    answer = invert(tmp_path / "sounds", data / "high" / "3.wav", tmp_path / "alone" / "b.wav")
    labels = [row["label"] for row in read_table(Path(answer["path"]).with_suffix(".csv"))]
    assert labels == ["new", "other", "high", ""]


def test_a_training_clip_is_not_its_own_nearest_one(invert: Invert, data: Path) -> None:
    answer = invert(data / "low" / "3.wav")
    row = read_table(Path(answer["path"]).with_suffix(".csv"))[0]
    assert row["nearest"] in ("low/2.wav", "low/4.wav")
    assert float(row["nearest_error"]) > 0.05


def test_words_that_make_no_sense_are_refused(invert: Invert, data: Path, tmp_path: Path) -> None:
    sound = data / "low" / "0.wav"
    for words, told in (
        ((sound, "--batch-size", 0), "--batch-size is 0: it may be 1 to 10000"),
        ((sound, "--batch-size", 10**10), "--batch-size is 10000000000: it may be 1 to 10000"),
        ((sound, "--candidates", 10**9), "--candidates is 1000000000: it may be 1 to 100000"),
        ((sound, "--own", 10**9), "--own is 1000000000"),
        ((sound, "--steps", -1), "--steps is -1: it may be 0 to"),
        ((sound, "--seed", -1), "--seed is -1: it may be 0 or more"),
        ((sound, "--device", "gramophone"), "gramophone"),
        ((tmp_path / "nowhere.wav",), "nowhere.wav"),
    ):
        code, err = invert(*words)
        assert code in (1, 2)
        assert told in err
    assert not list((tmp_path / "inverted").glob("*"))


def test_a_sound_that_is_not_there_is_told_before_the_training_clips_are_read(
    invert: Invert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "find_learning", lambda *given: pytest.fail("clips are read"))
    (tmp_path / "empty").mkdir()
    for name, told in (("nowhere.wav", "no file and no folder at"), ("empty", "holds no sound")):
        code, err = invert(tmp_path / name)
        assert code == 1
        assert told in err


def test_a_sound_that_is_not_there_is_told_with_what_to_give(invert: Invert, data: Path, tmp_path: Path) -> None:
    for path, told in (
        (data / "low" / "00.wav", "Did you mean 0.wav?"),
        (tmp_path / "nowhere.wav", "Give sound files (.wav, .flac, .ogg, .mp3, .cbin), folders of them, or .npz"),
    ):
        code, err = invert(path)
        assert code == 1
        assert f"There is no file and no folder at {path}. {told}" in err


def test_a_recording_is_refused_without_advice_that_is_not_to_be_had(invert: Invert, tmp_path: Path) -> None:
    audio.write(tmp_path / "long.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 16000 * 20), 16000)
    code, err = invert(tmp_path / "long.wav")
    assert code == 1
    assert "a recording rather than a syllable; cut its sounds out first, as `canarygan cut` does" in " ".join(
        err.split()
    )
    assert "--onsets" not in err


def test_what_is_there_is_kept(invert: Invert, data: Path) -> None:
    answer = invert(data / "low" / "0.wav")
    before = Path(answer["path"]).read_bytes()
    code, err = invert(data / "low" / "1.wav")
    assert code == 1
    assert "is there already" in err
    assert Path(answer["path"]).read_bytes() == before


def test_other_clips_may_be_compared_with(invert: Invert, data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for number in range(2):
        sound = audio.read(data / "high" / f"{number}.wav", 16000).audio
        audio.write(other / "mine" / f"{number}.wav", sound, 16000)
    answer = invert(data / "high" / "5.wav", "-d", other, "--max-length", 0.256)
    path = Path(answer["path"])
    assert read_table(path.with_suffix(".csv"))[0]["nearest"].startswith("mine/")
    record = json.loads(path.with_suffix(".manifest.json").read_text())
    assert record["dataset"]["path"] == str(other)


def test_clips_that_are_gone_are_told_and_not_needed(
    checkpoint: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "runs" / "checkpoints" / "version_0"
    (run / "last").mkdir(parents=True)
    copy = run / "last" / "last.ckpt"
    copy.write_bytes(checkpoint.read_bytes())
    manifest = json.loads((checkpoint.parents[1] / "manifest.json").read_text())
    manifest["options"]["dataset"]["options"]["data_dir"] = str(tmp_path / "gone")
    del manifest["seal"]
    (run / "manifest.json").write_text(json.dumps(manifest))
    words = ["-x", str(copy), "-s", str(tmp_path / "inverted"), *itertools.chain(*FEW.items())]
    assert main.main(["invert", str(data / "low" / "0.wav"), *words]) == 0
    out, err = capsys.readouterr()
    assert "The clips that the model learnt from cannot be had" in err
    assert "nearest training clip" not in out
    assert read_table(next((tmp_path / "inverted").glob("*.csv")))[0]["nearest_error"] == ""
    assert main.main(["invert", *words, "--overwrite"]) == 2
    assert "held out no clips" in capsys.readouterr().err


def test_what_is_passed_over_is_told_once(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = ["generate", "-x", str(checkpoint), "-n", "3", "--wav", "-s", str(tmp_path / "made"), "-q"]
    assert main.main(made) == 0
    few = itertools.chain.from_iterable(FEW.items())
    words = ["invert", str(tmp_path / "made"), "-x", str(checkpoint), "-s", str(tmp_path / "inverted")]
    assert main.main([*words, *few]) == 0
    assert capsys.readouterr().err.count("3 WAV files passed over") == 1
