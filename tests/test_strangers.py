"""A stranger's dataset, whose place is an option of its own, and projector, in every command that takes one."""

import dataclasses
import json
import os
import shutil
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import yaml
from report_pages import shown
from specimens import FittedPrincipal, Net, Principal

from canarygan_core import CanaryganError, Dataset, hookimpl
from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.clips import Clips
from canarygan_core.plugins import Plugin, get_registry
from canarygan_core.runs import Manifest
from canarygan_core.testing import toy_clips

for name in ("decoders", "metrics", "report"):
    pytest.importorskip(f"canarygan_{name}")

KIND = "shelf"
SHORT = ("--seconds", "0.128", "--max-epochs", "1", "--batch-size", "8")


@dataclass(frozen=True)
class Shelf(Dataset):
    """Clips of an archive."""

    name: ClassVar[str] = KIND

    place: Path = Path("nowhere.npz")
    """Archive of the clips, path."""
    skip: tuple[str, ...] = ()
    """Labels to leave out, names."""

    def load(self) -> Clips:
        if not self.place.is_file():
            raise CanaryganError(f"There is no shelf {self.place}.")
        held = archives.read(self.place)
        rows = ~np.isin(held["labels"], self.skip)
        origin = {"dataset": self.name, "fingerprint": f"shelf-{rows.sum()}"}
        return Clips(held["x"][rows], 16000, labels=held["labels"][rows], sources=held["sources"][rows], origin=origin)


@dataclass(frozen=True)
class Chart(FittedPrincipal):
    """A projector that brings a figure."""

    def draw(self, sets: Any, folder: Path) -> list[Path]:
        from matplotlib.figure import Figure

        figure = Figure()
        for title, clips in sets.items():
            assert clips.labels is not None, title
            figure.subplots().plot(self.project(clips)[:, 0], label=title)
        figure.savefig(folder / "first.png")
        return [folder / "first.png"]


@dataclass(frozen=True)
class Charted(Principal):
    """Principal components of the spectra, with a figure."""

    name: ClassVar[str] = "charted"

    def fit(self, clips: Clips) -> Chart:
        return Chart(super().fit(clips).axes)

    @classmethod
    def load(cls, folder: Path) -> Chart:
        return Chart(super().load(folder).axes)


@dataclass(frozen=True)
class Recharted(Charted):
    """Another one, of the same figures."""

    name: ClassVar[str] = "recharted"


def run(*words: object, code: int = 0) -> None:
    assert main.main([*map(str, words)]) == code, words


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder in which a model and a classifier were trained on a shelf that was given by a relative path."""
    home = tmp_path_factory.mktemp("strangers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANARYGAN_CACHE", str(home / "cache"))
        patch.chdir(home)
        module = types.ModuleType("canarygan_strange")
        for kind, brought in {"datasets": [Shelf], "projectors": [Charted, Recharted], "models": [Net]}.items():
            setattr(module, f"register_{kind}", hookimpl(lambda brought=brought: brought))
        get_registry.cache_clear()
        get_registry().add(Plugin("strange", "canarygan-strange", "1"), module)
        clips = toy_clips(64, classes=4, samples=2048)
        np.savez(home / "clips.npz", x=clips.audio, labels=clips.labels, sources=clips.sources)
        chosen = ("--dataset", KIND, "--place", "clips.npz", "--skip", "s3")
        run("train-gan", "--model", "net", *chosen, "-s", "runs")
        run("train-inception", *chosen, "-s", "inception", *SHORT)
        run("generate", "-x", "runs", "-n", 40, "-s", "generated")
        yield home
    get_registry.cache_clear()


@pytest.fixture
def elsewhere(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another folder, from which the shelf's relative path leads nowhere."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shelf(home: Path) -> tuple[str, ...]:
    return "--dataset", KIND, "--place", os.path.relpath(home / "clips.npz"), "--skip", "s3"


def test_check_data_tells_what_a_dataset_loads(home: Path, elsewhere: Path, capsys) -> None:
    run("check-data", *shelf(home), "--sheet", "sheet.png", "--json")
    told = json.loads(capsys.readouterr().out)
    assert [one["label"] for one in told["classes"]] == ["s0", "s1", "s2"]
    assert (told["dataset"], told["clips"], told["rates"], told["usable"]) == (KIND, 48, {"16000": 48}, True)
    assert (elsewhere / "sheet.png").read_bytes().startswith(b"\x89PNG")
    run("check-data", *shelf(home))
    assert f"canarygan train-gan {' '.join(shelf(home))} --preset small" in capsys.readouterr().out


def test_check_data_names_clips_that_cannot_be_learnt(home: Path, elsewhere: Path, capsys) -> None:
    held = dict(archives.read(home / "clips.npz"))
    x = np.array(held.pop("x"))
    x[0], x[1, 3], x[2], x[4] = 0, np.nan, 1e-3 * x[2], np.clip(40 * x[4], -1, 1)
    x[8] = x[7]
    np.savez(elsewhere / "odd.npz", x=x, **held)
    run("check-data", "--dataset", KIND, "--place", "odd.npz", "--json", code=1)
    told = json.loads(capsys.readouterr().out)
    names = held["sources"]
    assert {one["path"]: one["kind"] for one in told["problems"]} == {names[0]: "silent", names[1]: "not-finite"}
    assert told["clipped"] == [names[4]]
    assert told["duplicates"]["across_classes"] == [[names[7], names[8]]]
    run("check-data", "--dataset", KIND, "--place", "odd.npz", code=1)
    assert "Not usable: 2 clips of 64." in capsys.readouterr().out


def test_clips_without_labels_are_checked_too(home: Path, elsewhere: Path, monkeypatch, capsys) -> None:
    load = Shelf.load
    monkeypatch.setattr(Shelf, "load", lambda self: dataclasses.replace(load(self), labels=None, sources=None))
    run("check-data", *shelf(home), "--json")
    assert [one["label"] for one in json.loads(capsys.readouterr().out)["classes"]] == ["(no label)"]


def test_decoders_learn_and_classifiers_score_what_a_dataset_brings(home: Path, elsewhere: Path) -> None:
    chosen, sizes = shelf(home), ("--max-length", 0.128, "--augment", 0)
    run("build-decoder-dataset", *chosen, *sizes, "-s", "features")
    run("train-decoders", "-m", "knn", *chosen, *sizes, "-s", "decoders")
    run("inception", "baseline", "-m", home / "inception", *chosen, "--n-split", 2, "-s", "is")
    assert yaml.safe_load(Path("is/is_scores-baseline.yml").read_text())["clips"] == 48
    run("score", "--metric", "acoustics", *chosen, home / "generated", "-s", "scores", "--resamplings", 0)
    for folder in ("features", "decoders", "scores"):
        record = json.loads((elsewhere / folder / "manifest.json").read_text())
        assert record["options"]["dataset"]["name"] == KIND


def test_a_classifier_finds_its_shelf_again_and_another_may_be_given(home: Path, elsewhere: Path, capsys) -> None:
    words = ("inception", "gan", "-m", home / "inception", "-x", home / "runs", "-n", 20, "--n-split", 2, "-s", "is")
    run(*words)
    path = Path("is/is_scores-version_0.yml")
    assert yaml.safe_load(path.read_text())["context"]["real"]["clips"] == 48
    run(*words, *shelf(home), code=1)
    assert "made with reference None" in capsys.readouterr().err
    run(*words, "--overwrite", *shelf(home))
    options = {"place": str((home / "clips.npz").resolve()), "skip": ["s3"]}
    assert yaml.safe_load(path.read_text())["reference"] == {"dataset": KIND, "options": options}
    assert Manifest.read(path.with_suffix(".manifest.json")).record["options"]["dataset"]["name"] == KIND
    (elsewhere / "below").mkdir()
    os.chdir(elsewhere / "below")
    run(*words[:-1], "../is", *shelf(home))  # the same place, said in other words
    run(*words[:-1], "../is", *shelf(home)[:-2], code=1)


def test_a_training_goes_on_from_elsewhere_with_its_shelf_or_one_of_the_same_clips(
    home: Path, elsewhere: Path, capsys
) -> None:
    shutil.copytree(home / "runs", "runs")
    words = ("train-gan", "--resume", "-s", "runs")
    run(*words)
    shutil.copy(home / "clips.npz", "moved.npz")
    run(*words, "--place", "moved.npz")
    held = archives.read(home / "clips.npz")
    np.savez("other.npz", **{name: array[:-20] for name, array in held.items()})
    run(*words, "--place", "other.npz", code=1)
    assert "The clips have changed" in capsys.readouterr().err
    run(*words, "--skip", "s2", code=1)
    assert "leave --skip out" in capsys.readouterr().err


def test_the_folder_of_a_line_is_filtered_as_the_classifier_is_unless_it_says_otherwise() -> None:
    from canarygan_core.audio import Filter
    from canarygan_core.datasets.folder import Folder
    from canarygan_core.plugins.options import fill_in

    filtering: dict[str, Any] = {"highpass": 700.0, "remove_mean": False}
    values = dataclasses.asdict(Filter(**filtering)) | {"other": 1}
    assert fill_in(Folder(data_dir=Path("a")), frozenset(), values) == Folder(data_dir=Path("a"), **filtering)
    for flag in ("highpass", "dataset.highpass"):
        given = Folder(data_dir=Path("a"), highpass=5.0)
        assert fill_in(given, frozenset({flag, "data-dir"}), values) == dataclasses.replace(given, remove_mean=False)


@pytest.fixture(scope="module")
def mapped(home: Path) -> Path:
    """What `umap` makes of the stranger's projector."""
    chosen = ("--dataset", KIND, "--place", "clips.npz", "--skip", "s3")
    run("umap", "--projector", "charted", *chosen, "-g", "generated", "-s", "umap")
    return home / "umap"


def test_any_projector_is_drawn_with_the_figures_that_it_brings(mapped: Path) -> None:
    drawn = {path.name for path in mapped.glob("*.png")}
    assert drawn == {"charted-first.png", "clusters.png", "labels.png", "spectrograms.png", "stages.png"}
    assert archives.read(mapped / "real.umap.npz")["projector"] == "charted"
    record = json.loads((mapped / "umap.manifest.json").read_text())
    assert record["options"]["projector"] == {"name": "charted", "options": {"components": 2}}
    assert "charted-first.png" in record["outputs"]


def test_a_map_is_used_again_while_it_is_of_the_same_projector(mapped: Path, elsewhere: Path, caplog, capsys) -> None:
    home = mapped.parent
    words = ("umap", *shelf(home), "-g", home / "generated", "-s", "out", "--reducer-ckpt", mapped / "reducer")
    run(*words)
    assert not Path("out/reducer").exists()
    run(*words, "--projector", "umap", code=2)
    assert "is of projector charted: leave out --projector" in capsys.readouterr().err
    run(*words[:-2], "--projector", "charted", "--components", 3, code=2)
    assert "Projector charted gives 3 coordinates: a map to be drawn has 2" in capsys.readouterr().err


def test_a_map_of_another_projector_is_replaced_when_asked_alone(mapped: Path, elsewhere: Path, capsys) -> None:
    home = mapped.parent
    shutil.copytree(mapped, "out")
    shutil.copytree(home / "generated", "generated")
    words = ("umap", *shelf(home), "-g", "generated", "-s", "out", "--projector")
    before = {path: path.read_bytes() for path in Path().rglob("*.*")}
    run(*words, "recharted", code=1)
    told = "out/reducer is a map of projector charted, not recharted: give another --save-dir, or replace it by --redo."
    assert told in capsys.readouterr().err
    assert {path: path.read_bytes() for path in Path().rglob("*.*")} == before
    run(*words, "recharted", "--redo")
    assert archives.read(Path("out/real.umap.npz"))["projector"] == "recharted"
    run(*words[:-1], "--reducer-ckpt", mapped / "reducer", code=1)
    assert "out/reducer is a map of projector recharted, not charted" in capsys.readouterr().err


def test_project_draws_what_a_projector_brings(home: Path, elsewhere: Path) -> None:
    run("project", "--projector", "charted", *shelf(home), "-s", "out")
    assert Path("out/charted-first.png").read_bytes().startswith(b"\x89PNG")
    assert "charted-first.png" in json.loads(Path("out/manifest.json").read_text())["outputs"]


def test_a_figure_that_is_not_there_is_told(home: Path, elsewhere: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(Chart, "draw", lambda self, sets, folder: [folder / "none.png"])
    run("project", "--projector", "charted", *shelf(home), "-s", "out", code=1)
    assert "charted tells of a figure none.png" in capsys.readouterr().err


def test_the_report_finds_the_shelf_and_shows_the_map(mapped: Path, elsewhere: Path, capsys) -> None:
    home = mapped.parent
    run("report", "-x", home / "runs", "-g", home / "generated", "--umap", mapped)
    content = shown(Path("reports/version_0.html"))
    assert content["material"]["real"]["clips"] == 48
    assert content["map"]["projector"] == "charted"
    assert [one["name"] for one in content["map"]["figures"]] == ["charted-first"]
    assert content["map"]["totals"] == {"real": 48, "generated": 40}
    assert any(content["map"]["sound"])
    told = f"--dataset {KIND} --place {home / 'clips.npz'} --skip s3"
    assert content["missing"]["scores"]["commands"][-1].endswith(f"{told} {home / 'generated'}")
    run("report", "-x", home / "runs", "--dataset", KIND, "--place", home / "none.npz", "--overwrite", code=1)
    assert "There is no shelf" in capsys.readouterr().err
    run("report", "-x", home / "runs", *shelf(home), "--overwrite")
