import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from canarygan_decoders.dataset.decoder_dataset import ARCHIVE, read_dataset
from canarygan_decoders.dataset.examples import Examples
from canarygan_decoders.dataset.garbage import MADE
from canarygan_decoders.features import Features
from canarygan_decoders.tasks import search

from canarygan_core import audio, console
from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.clips import Clips
from canarygan_core.datasets.folder import Folder
from canarygan_core.fitted import decoders
from canarygan_core.plugins import get_registry

SHORT = ["--max-length", "0.3"]
SMALL = ["--esn.units", "60"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory, syllables: Clips) -> Path:
    """The syllables as WAV files, one folder a class; one class has a name with a space and an accent."""
    result = tmp_path_factory.mktemp("data") / "birds"
    for number, (sound, label) in enumerate(zip(syllables.audio, syllables.labels, strict=True)):
        name = "été 1" if label == syllables.classes[0] else label
        audio.write(result / name / f"{number:03d}.wav", 0.2 * sound, syllables.rate)
    return result


@pytest.fixture(scope="session")
def built(tmp_path_factory, folder: Path) -> Path:
    result = tmp_path_factory.mktemp("built") / "set"
    assert (
        main.main(
            ["build-decoder-dataset", "-d", str(folder), "-s", str(result), "--split", "0.25", "--augment", "1", *SHORT]
        )
        == 0
    )
    return result


@pytest.fixture(scope="session")
def trained(tmp_path_factory, built: Path) -> Path:
    result = tmp_path_factory.mktemp("trained") / "decoders"
    assert main.main(["train-decoders", "-p", str(built), "-s", str(result), "--seeds", "2", *SMALL]) == 0
    return result


def test_a_set_holds_both_sides(built: Path, folder: Path) -> None:
    material = read_dataset(built)
    arrays = archives.read(built / ARCHIVE)
    names = sorted(path.name for path in folder.iterdir())
    assert set(arrays["classes"]) == {*names, *MADE}
    assert set(arrays["garbage"]) == set(MADE)
    assert arrays["train_features"].shape == (72 + 6 * 9, 36, 26)
    assert arrays["test_features"].shape == (12, 36, 26)
    assert [(arrays["test_labels"] == name).sum() for name in names] == [3] * 4
    for side in ("train", "test"):
        pairs = list(zip(arrays[f"{side}_sources"], arrays[f"{side}_labels"], strict=True))
        pairs = [(source, label) for source, label in pairs if label not in MADE]
        assert len(pairs) == {"train": 72, "test": 12}[side]
        assert all((folder / source).is_file() and source.startswith(f"{label}/") for source, label in pairs)
    assert not set(arrays["train_sources"]) & set(arrays["test_sources"])
    assert set(material.tests) == {"clean", "other-gain", "noise-20dB", "later-20ms", "garbage"}
    np.testing.assert_allclose(material.tests["other-gain"].features, material.tests["clean"].features, atol=1e-5)


def test_the_split_follows_the_seed(folder: Path, tmp_path: Path) -> None:
    def sources(name: str, seed: int) -> list[str]:
        words = ["build-decoder-dataset", "-d", folder, "-s", tmp_path / name, "--seed", seed, "--augment", 0, *SHORT]
        assert main.main(list(map(str, words))) == 0
        return archives.read(tmp_path / name / ARCHIVE)["test_sources"].tolist()

    assert sources("a", 1) == sources("b", 1) != sources("c", 2)


def test_training_leaves_what_it_says(trained: Path, folder: Path) -> None:
    names = sorted(path.name for path in folder.iterdir())
    summary = json.loads((trained / "summary.json").read_text())
    assert sorted(summary) == ["esn", "knn", "svm"]
    for name in summary:
        arrays = archives.read(trained / f"metrics-{name}.npz")
        assert arrays["classes"].tolist() == names
        assert arrays["confusion"].sum() == 12
        assert arrays["accuracy"] == summary[name]["test"]["clean"]["accuracy"] >= 0.9
        assert set(summary[name]["test"]) == {"clean", "other-gain", "noise-20dB", "later-20ms"}
        assert set(summary[name]["rejected"]) == {*summary[name]["test"], "garbage"}
        assert (trained / f"confusion-{name}.png").read_bytes().startswith(b"\x89PNG")
        record = json.loads((trained / name / "decoder.json").read_text())
        assert set(record["classes"]) == {*names, *MADE}
        assert set(record["garbage"]) == set(MADE)
    assert len(summary["esn"]["seeds"]["accuracies"]) == 2
    assert "seeds" not in summary["knn"]
    assert json.loads((trained / "manifest.json").read_text())["status"] == "finished"


def test_the_training_of_a_decoder_tells_that_it_goes_on(built: Path, tmp_path: Path, monkeypatch) -> None:
    from canarygan_decoders.esn.decoder import ESN

    fit, lines = ESN.fit_examples, []

    def looking(self, examples):
        lines.append(str(console._shown[-1]))  # what is logged every 30 s
        return fit(self, examples)

    monkeypatch.setattr(ESN, "fit_examples", looking)
    assert main.main(["train-decoders", "-p", str(built), "-m", "esn", "-s", str(tmp_path / "made"), *SMALL]) == 0
    assert lines == ["training esn: 0 s so far"]


def test_from_sounds_to_labels(trained: Path, folder: Path, tmp_path: Path) -> None:
    assert main.main(["decode", "-y", str(trained), str(folder), "-s", str(tmp_path / "out")]) == 0
    with open(tmp_path / "out" / "decoded.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 48
    right = [row["svm"] == Path(row["file"]).parent.name for row in rows]
    assert np.mean(right) > 0.9
    assert {row["knn"] for row in rows} == {path.name for path in folder.iterdir()}


def test_from_clips_without_a_set(folder: Path, tmp_path: Path, capsys) -> None:
    words = [
        "train-decoders",
        "-d",
        folder,
        "-s",
        tmp_path / "d",
        "-m",
        "knn",
        "--knn.k",
        3,
        "--augment",
        0,
        *SHORT,
        "--json",
    ]
    assert main.main(list(map(str, words))) == 0
    assert json.loads(capsys.readouterr().out)["decoders"]["knn"]["test"]["clean"]["clips"] == 4
    record = json.loads((tmp_path / "d" / "knn" / "decoder.json").read_text())
    assert record["decoder"]["options"] == {"k": 3}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-p", "{built}", "--n-mfcc", "20"], "was made with n-mfcc 13, not 20"),
        (["-p", "{built}", "--split", "0.5"], "--split was settled"),
        (["-p", "{built}", "-d", "{folder}"], "one of the two"),
        ([], "one of the two"),
        (["-d", "{folder}", "--features", "delta"], "deltas"),
        (["-d", "{folder}", "--split", "1.5"], "0 to below 1"),
        (["-d", "{folder}/été 1"], "none in a class folder"),
        (["-p", "{folder}"], "build-decoder-dataset makes one"),
        (["-p", "{built}", "-m", "knm"], "Did you mean knn?"),
        (["-p", "{built}", "-m", "knn", "--search", "2"], "names no options to search"),
        (["-p", "{built}", "--reservoirs", "nowhere"], "no .npz"),
    ],
)
def test_misuse_is_explained(words: list[str], message: str, built: Path, folder: Path, tmp_path: Path, capsys) -> None:
    words = [word.format(built=built, folder=folder) for word in words]
    assert main.main(["train-decoders", *words, "-s", str(tmp_path / "d")]) in (1, 2)
    assert message in capsys.readouterr().err


def test_trained_decoders_are_neither_replaced_nor_mixed_unasked(built: Path, tmp_path: Path, capsys) -> None:
    words = ["train-decoders", "-p", str(built), "-s", str(tmp_path)]
    assert main.main([*words, "-m", "knn"]) == 0
    before = (tmp_path / "knn" / "decoder.json").read_bytes()
    assert main.main([*words, "-m", "svm", "-m", "knn"]) == 1
    assert "holds knn already: give another --save-dir, or --overwrite" in capsys.readouterr().err
    assert not (tmp_path / "svm").exists()
    assert main.main([*words, "-m", "svm"]) == 0
    assert "holds knn too" in capsys.readouterr().err
    assert (tmp_path / "knn" / "decoder.json").read_bytes() == before
    assert main.main([*words, "-m", "knn", "--knn.k", "3", "--overwrite"]) == 0
    assert (tmp_path / "knn" / "decoder.json").read_bytes() != before


def test_one_class_is_explained(folder: Path, tmp_path: Path, capsys) -> None:
    only = tmp_path / "one" / "A"
    only.mkdir(parents=True)
    for path in sorted((folder / "été 1").iterdir())[:3]:
        (only / path.name).write_bytes(path.read_bytes())
    for task in ("build-decoder-dataset", "train-decoders"):
        assert main.main([task, "-d", str(only.parent), "-s", str(tmp_path / "out")]) == 1
        assert "has one class, A" in capsys.readouterr().err


def test_classes_with_one_clip_are_trained_on_and_said(folder: Path, tmp_path: Path, capsys) -> None:
    for label in ("x", "y"):
        (tmp_path / "two" / label).mkdir(parents=True)
    paths = sorted(folder.rglob("*.wav"))
    (tmp_path / "two" / "x" / "0.wav").write_bytes(paths[0].read_bytes())
    for path in paths[-4:]:
        (tmp_path / "two" / "y" / path.name).write_bytes(path.read_bytes())
    assert (
        main.main(["train-decoders", "-d", str(tmp_path / "two"), "-s", str(tmp_path / "d"), "-m", "knn", *SHORT]) == 0
    )
    output = capsys.readouterr()
    assert "One clip only, so none to test on: x" in output.err
    assert "1 of 1" in output.out


def test_the_search_goes_on_where_it_stopped(built: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    words = [
        "train-decoders",
        "-p",
        str(built),
        "-s",
        str(tmp_path),
        "-m",
        "esn",
        "--esn.units",
        "30",
        "--overwrite",
        "--search",
    ]
    assert main.main([*words, "2"]) == 0
    journal = tmp_path / "search-esn.jsonl"
    first = journal.read_text().splitlines()
    assert [json.loads(line)["trial"] for line in first] == [0, 1]
    journal.write_text("\n".join(first) + '\n{"search": "cut sh')
    tried = []
    real = search.cross_validate
    monkeypatch.setattr(search, "cross_validate", lambda *arguments: tried.append(arguments) or real(*arguments))
    assert main.main([*words, "3"]) == 0
    assert len(tried) == 1
    lines = journal.read_text().splitlines()
    assert lines[:2] == first
    assert [json.loads(line)["trial"] for line in lines] == [0, 1, 2]
    assert main.main([*words, "3", "--seed", "5"]) == 1
    assert "another --save-dir" in capsys.readouterr().err


def test_folds_keep_copies_together() -> None:
    labels = np.repeat(["a", "b"], 6)
    groups = np.arange(12)
    columns = (np.zeros((24, 1, 1), np.float32), np.tile(labels, 2), np.tile(labels, 2), np.tile(groups, 2))
    fold = Examples(*columns, Features()).folds(3)
    np.testing.assert_array_equal(fold[:12], fold[12:])
    assert [(fold[:6] == number).sum() for number in range(3)] == [2, 2, 2]


def test_decoders_keep_the_filter_of_their_clips_and_hear_with_it(tmp_path: Path, folder: Path, capsys) -> None:
    built, made = tmp_path / "built", tmp_path / "made"
    words = ["build-decoder-dataset", "-d", str(folder), "-s", str(built), "--split", "0.25", "--augment", "0", *SHORT]
    assert main.main([*words, "--highpass", "700"]) == 0
    assert main.main(["train-decoders", "-p", str(built), "-s", str(made), "-m", "knn"]) == 0
    (one,) = decoders.load_all([made], get_registry())
    assert one.filtering == audio.Filter(highpass=700.0)
    assert one.record["dataset"]["filter"] == {"highpass": 700.0, "lowpass": None, "remove_mean": True}
    raw = Folder(data_dir=folder, max_length=0.3, gain="none", remove_mean=False).load()
    humming = np.asarray(raw.audio) + np.float32(0.2) * np.sin(np.arange(raw.samples) / 50, dtype=np.float32)
    clean, hum = (one.posteriors(replace(raw, audio=sound)) for sound in (np.asarray(raw.audio), humming))
    np.testing.assert_allclose(hum, clean, atol=0.05)
    filtered = audio.hear(replace(raw, audio=humming), one.filtering)
    np.testing.assert_array_equal(one.posteriors(filtered), hum, "not twice")
    unfiltered = replace(raw, audio=humming)
    np.testing.assert_array_equal(one.judge(unfiltered).posteriors, one.judge(filtered).posteriors)
    np.testing.assert_array_equal(one.judge(unfiltered).syllable, one.judge(filtered).syllable)
    capsys.readouterr()
    assert main.main(["train-decoders", "-p", str(built), "-s", str(tmp_path / "x"), "--highpass", "500"]) == 2
    assert "--highpass was settled" in capsys.readouterr().err


def test_a_set_from_before_filters_took_nothing_out(tmp_path: Path, built: Path) -> None:
    arrays = {name: np.array(array) for name, array in archives.read(built / ARCHIVE).items() if name != "filter"}
    np.savez(tmp_path / ARCHIVE, **arrays)
    shutil.copy(built / "decoder-dataset.config.yml", tmp_path)
    assert audio.Filter.of(read_dataset(tmp_path).origin) == audio.NOTHING
    assert audio.Filter.of(read_dataset(built).origin) == audio.Filter()
