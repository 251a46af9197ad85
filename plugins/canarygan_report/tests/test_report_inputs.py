"""What a report is made from: found, read, fitting, or left out and told."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from canarygan_report import material, records
from canarygan_report.inputs import Given, Inputs, Notes
from canarygan_report.material import Layout
from report_pages import shown

from canarygan_core import audio
from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.testing import toy_clips


def test_scores_are_read_liberally(made: Path) -> None:
    frechet, kid, odd = shown(made)["scores"][0]["metrics"]
    bare = {"unit": "", "better": "", "null": None}
    assert (frechet["columns"], frechet["rows"]) == (["real"], [{"key": "frechet", "values": [12.5, 1], **bare}])
    assert (frechet["clips"], frechet["null"]) == (None, None)
    assert frechet["warnings"] == ["30 clips are few."]
    assert (kid["error"], kid["rows"]) == ("There is one clip.", [])
    assert odd["rows"] == [{"key": "spread", "values": ["nan"], **bare}]
    assert odd["more"] == {"unheard of": [1, {"of": None}]}


def test_scores_come_with_units_counts_and_what_chance_gives(tmp_path: Path) -> None:
    null = {"score": 2.5, "mean": 1.0, "low": 0.5, "high": 1.5, "p": 0.001, "p_corrected": 0.002, "verdict": "above"}
    record = {
        "options": {},
        "scores": {"duration.distance": 2.0, "generated.clips": 30.0},
        "clips": {"generated": 30, "reference": 24},
        "units": {"duration.distance": "s", "generated.clips": "clips"},
        "better": {"duration.distance": "smaller"},
        "null": {"generated": 12, "reference": 12, "resamplings": 50, "scores": {"duration.distance": null}},
        "context": {"real": {"duration.distance": 1.0}},
    }
    path = tmp_path / "scores.json"
    tests = {"correction": "Holm", "level": 0.05, "tests": 1, "class_tests": 0}
    path.write_text(json.dumps({"metrics": {"acoustics": record}, "tests": tests}))
    read = records.read_scores(path)
    (metric,) = read["metrics"]
    assert read["tests"] == tests
    assert metric["clips"] == record["clips"]
    assert metric["null"] == {"generated": 12, "reference": 12, "resamplings": 50}
    first, second = metric["rows"]
    assert (first["unit"], first["better"], first["null"]) == ("s", "smaller", null)
    assert (second["unit"], second["better"], second["null"]) == ("clips", "", None)
    assert metric["more"] == {}


def test_shares_say_how_many_are_sure_and_agreed_upon(toy_run, tmp_path: Path) -> None:
    labels = {"esn": ["a", "a", "X"], "knn": ["a", "b", "X"]}
    path = tmp_path / "sounds.npz"
    with archives.writing(path, 0) as archive:
        archive.add("x", np.ones((3, 100), np.float32))
        archive.add("rate", np.asarray(16000))
        for name, given in labels.items():
            archive.add(f"y_{name}", np.array(["a", "a", "b"]))
            archive.add(f"label_{name}", np.array(given))
        archive.add("label", np.array(["a", "a", "X"]))
        archive.add("agreement", np.array([1.0, 0.5, 1.0]))
    generated = material.read_generated(path)
    assert list(generated.labels) == ["all decoders together", "esn", "knn"]
    assert generated.labels["knn"].tolist() == ["a", "b", "X"]
    assert generated.consensus == "2 of 3 sounds are sure, the others X; esn, knn all agree on 1 of these 2."


def test_a_map_of_other_sounds_is_not_shown(toy_run, tmp_path: Path, capsys) -> None:
    name, other = "generation-version_3-epoch_2-step_6", "generation-version_3-epoch_40-step_120"
    sounds_made = toy_run.folder / "generated"
    (tmp_path / f"{name}.npz").write_bytes((sounds_made / f"{name}.npz").read_bytes())
    (tmp_path / f"{name}.umap.npz").write_bytes((sounds_made / f"{other}.umap.npz").read_bytes())
    assert main.main(["report", "-g", str(tmp_path / f"{name}.npz"), "-s", str(tmp_path / "out")]) == 0
    assert "is the map of other sounds" in " ".join(capsys.readouterr().err.split())
    assert "map" in shown(tmp_path / "out" / "version_3.html")["missing"]


def test_sounds_and_maps_that_are_not_of_the_run_are_said(toy_run, tmp_path: Path, caplog) -> None:
    sounds_made = toy_clips(6, samples=2000).audio.copy()
    sounds_made[:2] = np.nan
    np.savez(tmp_path / "made.npz", x=sounds_made, rate=16000, version="3", checkpoint="sha256:0")
    words = [
        "report",
        "-x",
        str(toy_run.folder / "runs"),
        "-g",
        str(tmp_path / "made.npz"),
        "-s",
        str(tmp_path / "out"),
    ]
    assert main.main([*words, "--umap", str(toy_run.folder / "umap")]) == 0
    assert "made.npz was made by none of this run's checkpoints" in caplog.text
    assert "2 of 6 sounds in made.npz are silent or not finite" in caplog.text
    assert "There is no map of made.npz in --umap" in caplog.text


def test_a_map_of_other_real_clips_is_said(toy_run, tmp_path: Path, caplog) -> None:
    other = tmp_path / "data" / "B" / "new.wav"
    audio.write(other, toy_clips(1, samples=2000).audio[0], 16000)
    words = [
        "report",
        "-d",
        str(tmp_path / "data"),
        "--umap",
        str(toy_run.folder / "umap"),
        "-s",
        str(tmp_path / "out"),
    ]
    assert main.main(words) == 0
    assert "The map is of other real clips than the page" in caplog.text


@pytest.mark.parametrize(
    ("reader", "name", "text"),
    [
        (records.read_scores, "scores.json", "[1]"),
        (records.read_scores, "scores.json", "{"),
        (records.read_inception, "is_scores-version_1.yml", "rows: 3"),
        (records.read_inception, "is_scores-version_1.yml", "- [1"),
        (records.read_curves, "metrics.csv", "a,b\n1,2\n"),
        (records.read_confusion, "metrics-a.npz", "no zip"),
    ],
)
def test_what_cannot_be_read_is_noted_and_left_out(reader, name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    notes = Notes()
    assert notes.read(reader, path) is None
    assert str(path) in notes.messages[0]
    assert notes.inputs == {}


def test_a_folder_without_version_gives_its_latest_sounds(tmp_path: Path) -> None:
    for version, epoch in (("1", 5), ("2", 3), ("2", 4)):
        with archives.writing(tmp_path / f"{version}-{epoch}.npz", 0) as archive:
            archive.add("x", np.zeros((1, 4), np.float32))
            archive.add("version", np.asarray(version))
            archive.add("epoch", np.asarray(epoch))
    assert material.read_generated(tmp_path).path.name == "1-5.npz"
    assert material.read_generated(tmp_path, "2").path.name == "2-4.npz"


def test_sounds_on_another_map_are_left_out_and_that_is_said(toy_run, monkeypatch) -> None:
    read = material.read_layout

    def layout(path: Path) -> Layout:
        made = read(path)
        return replace(made, facts={**made.facts, "reducer": path.name})

    monkeypatch.setattr(material, "read_layout", layout)
    notes = Notes()
    given = Given(None, None, (), toy_run.folder / "generated", toy_run.folder / "umap", ())
    inputs = Inputs.find(given, notes)
    assert inputs.generated_map is None
    assert inputs.real_map is not None
    assert any("another map" in note for note in notes.messages)
