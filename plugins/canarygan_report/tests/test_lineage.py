"""What a report finds of a run by itself: the work of other tasks near by, by the digests in manifests."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from canarygan_report.lineage import Lineage
from report_pages import shown

from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.runs import Manifest, Request, Run, files


def leave(path: Path, task: str, inputs: dict[str, Path], outputs: list[Path], **facts: object) -> Manifest:
    """The manifest of work that is done."""
    with Manifest.begin(path, Request(task, (task,), {}), **facts) as manifest:
        for name, file in inputs.items():
            manifest.add_input(name, file)
        for file in outputs:
            manifest.add_output(file)
    return manifest


def write(path: Path, text: str) -> Path:
    files.write_text(path, text)
    return path


@pytest.fixture
def place(toy_run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two runs, each with sounds, scores and a decoder that labelled its sounds, under names
    that say nothing; the map of the first run's sounds and the confusion of its decoder are there, too."""
    monkeypatch.chdir(tmp_path)
    for name in ("runs", "generated", "umap", "scores"):
        shutil.copytree(toy_run.folder / name, tmp_path / "toy" / name)
    Path("toy/runs").rename("runs")
    version = Path("runs/checkpoints/version_3")
    shutil.copytree(version, version.with_name("version_4"))
    sounds = sorted(Path("toy/generated").glob("generation-*_40-*"))
    for number, run in enumerate(("3", "4")):
        checkpoint = write(version.with_name(f"version_{run}") / "all" / "epoch_40-step_120.ckpt", f"weights {run}")
        Manifest.read(checkpoint.parents[1] / "manifest.json").add_output(checkpoint)
        folder = Path(f"work {number}")
        archive = folder / "sounds" / "one.npz"
        with archives.writing(archive, 0) as draft:
            for name, values in archives.read(next(one for one in sounds if ".umap" not in one.name)).items():
                draft.add(name, np.asarray(run) if name == "version" else values)
        record = write(folder / "tool" / "decoder.json", f"{{}} {run}")
        confusion = folder / "tool" / "metrics-knn.npz"
        shutil.copy("toy/scores/metrics-knn.npz", confusion)
        leave(folder / "tool" / "manifest.json", "train-decoders", {}, [record, confusion])
        inputs = {"generator": checkpoint, "decoder knn": record}
        leave(archive.with_suffix(".manifest.json"), "generate", inputs, [archive])
        metrics = {"metrics": {"frechet": {"scores": {"frechet": 12.5 + number}}}}
        scores = write(folder / "scores.json", json.dumps(metrics))
        leave(folder / "manifest.json", "score", {"sounds": archive}, [scores])
    first = Path("work 0")
    shutil.copy("toy/scores/is_scores-version_3.yml", first / "sounds" / "is_scores-version_3.yml")
    inception = first / "sounds" / "is_scores-version_3.yml"
    checkpoint = version / "all" / "epoch_40-step_120.ckpt"
    leave(inception.with_suffix(".manifest.json"), "inception gan", {"checkpoint": checkpoint}, [inception])
    (first / "map").mkdir()
    shutil.copy("toy/umap/real.umap.npz", first / "map" / "real.umap.npz")
    beside = first / "sounds" / "one.umap.npz"
    with archives.writing(beside, 0) as draft:
        for name, values in archives.read(next(one for one in sounds if ".umap" in one.name)).items():
            draft.add(
                name, np.asarray(files.compute_digest(beside.with_name("one.npz"))) if name == "archive" else values
            )
    real = first / "map" / "real.umap.npz"
    leave(real.with_name("umap.manifest.json"), "umap", {"sounds": beside.with_name("one.npz")}, [real, beside])
    shutil.rmtree("toy")
    return tmp_path


def test_a_report_finds_the_work_on_its_run_under_any_name(place: Path, capsys) -> None:
    assert main.main(["report", "-x", "runs/checkpoints/version_3", "-s", "page"]) == 0
    told = capsys.readouterr()
    assert "Not in it" not in told.out
    assert "Generated sounds: work 0/sounds/one.npz, the last that were made of this run" in told.err
    content = shown(place / "page" / "version_3.html")
    assert content["missing"] == {}
    assert [one["metrics"][0]["rows"][0]["values"] for one in content["scores"]] == [[12.5]]
    assert content["map"]["kind"] == "umap"
    assert len(content["confusion"]) == len(content["inception"]) == 1
    names = json.loads((place / "page" / "version_3.manifest.json").read_text())["inputs"]
    assert not any("work 1" in name for name in names)


def test_a_report_says_where_it_looked_and_what_to_give(place: Path, toy_run, capsys) -> None:
    shutil.rmtree("work 0/map")
    (place / "away").mkdir()
    Path("work 1/scores.json").rename("away/scores.json")
    assert main.main(["report", "-x", "runs/checkpoints/version_4", "-s", "page"]) == 0
    told = capsys.readouterr().out
    assert "Not in it: No scores of metrics found.\n" in told
    assert f"\n  canarygan train-inception -d {toy_run.folder / 'data'} " in told
    assert " -s scores" not in told
    looked = f"Looked for what was made of this run in {place / 'runs'}, {place}, two folders deep; --scores, -g and"
    assert told.count(looked) == 1
    content = shown(place / "page" / "version_4.html")
    assert set(content["missing"]) == {"curves", "inception", "scores", "map"}
    assert looked in content["missing"]["scores"]["looked"]
    write(Path("scores/scores.json"), "{}")
    assert main.main(["report", "-x", "runs/checkpoints/version_4", "-s", "page", "--overwrite"]) == 0
    assert "work 1/sounds/one.npz -s scores-2\n" in capsys.readouterr().out.replace("'", "")
    assert main.main(["report", "-x", "runs/checkpoints/version_4", "-s", "more", "--scores", "away/scores.json"]) == 0
    assert "scores" not in shown(place / "more" / "version_4.html")["missing"]


def test_what_is_missing_is_made_of_sounds_that_have_labels(place: Path, capsys) -> None:
    with archives.writing(Path("plain.npz"), 0) as draft:
        draft.add("x", archives.read(Path("work 0/sounds/one.npz"))["x"])
        draft.add("rate", np.asarray(16000))
    shutil.rmtree("work 0")
    words = ["report", "-x", "runs/checkpoints/version_3", "-g", "plain.npz", "-s", "page"]
    assert main.main(words) == 0
    commands = [line.split() for line in capsys.readouterr().out.split("one after the other:\n")[1].splitlines()]
    tasks = [line[1] for line in commands]
    assert tasks == ["train-inception", "inception", "train-decoders", "generate", "score", "umap"]
    made = commands[tasks.index("generate")]
    assert "-y" in made
    assert commands[-2][-1] == commands[-1][-1] == made[-1] == "generated"


def test_scores_of_another_run_that_lie_in_the_folder_of_runs_are_left_out(place: Path) -> None:
    for number in (0, 1):
        shutil.copytree(f"work {number}", f"runs/work {number}")
        shutil.rmtree(f"work {number}")
    write(Path("runs/other/scores.json"), json.dumps({"metrics": {"kid": {"scores": {"kid": 1}}}}))
    assert main.main(["report", "-x", "runs/checkpoints/version_4", "-s", "page"]) == 0
    content = shown(place / "page" / "version_4.html")
    values = [one["metrics"][0]["rows"][0]["values"] for one in content["scores"]]
    assert sorted(values) == [[1], [13.5]]  # nothing tells whose the first ones are


def test_work_on_a_checkpoint_that_went_on_is_of_the_run_and_damage_is_passed_over(place: Path) -> None:
    last = write(Path("runs/checkpoints/version_3/last/last.ckpt"), "weights of an hour ago")
    sounds = write(Path("early/one.npz"), "sounds")
    early = leave(Path("early/one.manifest.json"), "generate", {"generator": last}, [sounds])
    write(last, "weights of now")
    write(Path("damaged/manifest.json"), "{")
    run = Run.read(Path("runs/checkpoints/version_3").absolute())
    assert early.path in [one.path for one in Lineage.find(run, None, [Path()]).made]
    other = Run.read(Path("runs/checkpoints/version_4").absolute())
    assert early.path not in [one.path for one in Lineage.find(other, None, [Path()]).made]
