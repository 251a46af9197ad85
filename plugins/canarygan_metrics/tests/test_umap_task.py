import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soxr
from canarygan_metrics.umap import figures, placements, steps
from canarygan_metrics.umap.placements import Placement

from canarygan_core import audio
from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.runs import files
from canarygan_core.testing import toy_clips

SMALL = ["--neighbors", "8", "--seconds", "0.1", "--max-length", "0.1"]
PNGS = ["clusters.png", "decoder-knn.png", "labels.png", "spectrograms.png", "stages.png"]


def generation(folder: Path, epoch: int, *, rate: int = 16000, samples: int = 2400, version: str = "0") -> Path:
    """An archive of 60 sounds of three kinds, longer than the clips and maybe of another rate."""
    clips = toy_clips(60, classes=3, samples=samples, seed=epoch)
    sounds = np.stack([soxr.resample(one, 16000, rate) for one in clips.audio])
    path = folder / f"generation-version_{version}-epoch_{epoch}-step_{9 * epoch}.npz"
    with archives.writing(path, sounds.nbytes) as archive:
        archive.add("x", sounds)
        archive.add("y_knn", clips.labels)
        for name, value in {"rate": rate, "version": version, "epoch": epoch, "step": 9 * epoch}.items():
            archive.add(name, np.asarray(value))
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A folder of clips, two archives, one of them at twice the rate, and what `umap` makes of them."""
    home = tmp_path_factory.mktemp("umap")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANARYGAN_CACHE", str(home / "cache"))
        clips = toy_clips(36, classes=3, samples=1600, seed=5)
        for row, (label, sound) in enumerate(zip(clips.labels, clips.audio, strict=True)):
            audio.write(home / "data" / str(label) / f"{row:02}.wav", sound, clips.rate)
        generation(home / "gen", 1)
        generation(home / "gen", 20, rate=32000)
        shutil.copytree(home / "gen", home / "fresh")
        assert run(home) == 0
    return home


def run(home: Path, *more: object, gen: str = "gen", out: str = "out") -> int:
    words = ["umap", "-d", home / "data", "-g", home / gen, "-s", home / out, *SMALL, *more]
    return main.main(list(map(str, words)))


@pytest.fixture
def copy(home: Path, tmp_path: Path, monkeypatch) -> Path:
    """The same, to be changed."""
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    for name in ("data", "gen", "fresh", "out"):
        shutil.copytree(home / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def computed(monkeypatch) -> list[int]:
    """How many sounds were laid out, an entry an archive."""
    seen: list[int] = []
    real = Placement.compute
    monkeypatch.setattr(Placement, "compute", lambda points, *rest: seen.append(len(points)) or real(points, *rest))
    return seen


def test_each_archive_gets_its_map_beside_it(home: Path) -> None:
    names = [path.stem for path in sorted((home / "fresh").glob("*.npz"))]
    assert sorted(path.name for path in (home / "gen").iterdir()) == sorted(
        f"{stem}{end}" for stem in names for end in (".npz", ".umap.npz")
    )
    for stem in names:
        assert (home / "gen" / f"{stem}.npz").read_bytes() == (home / "fresh" / f"{stem}.npz").read_bytes()
        made = archives.read(home / "gen" / f"{stem}.umap.npz")
        assert made["coordinates"].shape == (60, 2)
        assert made["coordinates"].dtype == np.float32
        assert np.isfinite(made["coordinates"]).all()
        inside = made["cluster"] >= 0
        truth = archives.read(home / "gen" / f"{stem}.npz")["y_knn"]
        assert inside.mean() > 0.8
        assert (made["label"][inside] == truth[inside]).mean() > 0.9
        assert set(made["label"][~inside]) <= {"X"}


def test_real_sounds_figures_and_record_are_left(home: Path) -> None:
    made = archives.read(home / "out" / "real.umap.npz")
    assert made["coordinates"].shape == (36, 2)
    assert all(source.startswith(f"{label}/") for source, label in zip(made["sources"], made["labels"], strict=True))
    assert sorted(path.name for path in (home / "out").glob("*.png")) == PNGS
    assert all((home / "out" / name).read_bytes().startswith(b"\x89PNG") for name in PNGS)
    manifest = json.loads((home / "out" / "umap.manifest.json").read_text())
    assert manifest["status"] == "finished"
    read = {one["digest"] for one in manifest["inputs"].values()}
    assert {files.compute_digest(path) for path in (home / "fresh").glob("*.npz")} < read
    beside = [name for name in manifest["outputs"] if name.endswith(".umap.npz") and name.startswith("..")]
    assert len(beside) == 2
    assert {*PNGS, "real.umap.npz"} <= manifest["outputs"].keys()


def test_the_data_folder_is_left_alone(home: Path, monkeypatch) -> None:
    monkeypatch.setenv("CANARYGAN_CACHE", str(home / "cache"))
    assert {path.suffix for path in (home / "data").rglob("*") if path.is_file()} == {".wav"}
    assert len(Folder(data_dir=home / "data", max_length=0.1).load()) == 36


def test_nothing_is_written_into_the_data_folder(copy: Path, capsys) -> None:
    assert run(copy, out="data/umap") == 2
    assert "lies in the data folder" in capsys.readouterr().err
    shutil.copytree(copy / "fresh", copy / "data" / "gen")
    assert run(copy, gen="data/gen") == 2
    assert not list((copy / "data").rglob("*.umap.npz"))


def test_what_is_up_to_date_is_not_computed_again(copy: Path, computed: list[int], capsys) -> None:
    before = {path: path.read_bytes() for path in (copy / "gen").glob("*.umap.npz")}
    assert run(copy, "--json") == 0
    assert computed == []
    told = json.loads(capsys.readouterr().out)["archives"]
    assert [row["epoch"] for row in told] == [1, 20]
    assert all(sum(row["shares"].values()) == pytest.approx(1) for row in told)
    generation(copy / "gen", 1, samples=2000)
    assert run(copy) == 0
    assert computed == [60]
    generation(copy / "gen", 1)
    assert run(copy, "--redo") == 0
    assert computed == [60] * 3
    assert {path: path.read_bytes() for path in before} == before


def test_what_was_clustered_without_the_real_sounds_is_computed_again(copy: Path, computed: list[int], caplog) -> None:
    path = next((copy / "gen").glob("*epoch_20*.umap.npz"))
    whole, content = path.read_bytes(), archives.read(path)
    assert content["real_clips"] == 36
    placements.write_arrays(path, {name: array for name, array in content.items() if name != "real_clips"})
    assert run(copy) == 0
    assert computed == [60]
    assert "older clusters" in caplog.text
    assert path.read_bytes() == whole


def test_a_damaged_map_is_made_again(copy: Path, computed: list[int]) -> None:
    path = next((copy / "gen").glob("*epoch_20*.umap.npz"))
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    assert run(copy) == 0
    assert computed == [60]
    assert path.read_bytes() == whole


def test_other_options_or_clips_make_another_map(copy: Path, computed: list[int]) -> None:
    record = (copy / "out" / "reducer" / "projector.json").read_text()
    assert run(copy) == 0
    assert (copy / "out" / "reducer" / "projector.json").read_text() == record
    assert run(copy, "--floor", 30) == 0
    changed = json.loads((copy / "out" / "reducer" / "projector.json").read_text())
    assert changed["projector"]["options"]["floor"] == 30
    next((copy / "data").rglob("*.wav")).unlink()
    assert run(copy, "--floor", 30) == 0
    assert json.loads((copy / "out" / "reducer" / "projector.json").read_text())["clips"] == 35
    assert computed == [60] * 4


def test_a_map_given_is_used(copy: Path, computed: list[int], capsys) -> None:
    given = ["--max-length", 0.1, "-s", copy / "new", "--reducer-ckpt", copy / "out" / "reducer"]
    words = [*map(str, ["umap", "-d", copy / "data", "-g", copy / "gen", *given])]
    assert main.main(words) == 0
    assert computed == []
    assert not (copy / "new" / "reducer").exists()
    real = [archives.read(copy / name / "real.umap.npz")["coordinates"] for name in ("out", "new")]
    np.testing.assert_array_equal(*real)
    assert main.main([*words, "--floor", "20"]) == 2
    assert "--floor would be ignored" in capsys.readouterr().err
    assert main.main([*words, "--sampling-rate", "8000"]) == 1
    assert "of 16000 Hz, and these are of 8000 Hz" in capsys.readouterr().err


def test_archives_are_chosen_by_what_they_say(copy: Path, computed: list[int], capsys) -> None:
    path = next((copy / "fresh").glob("*epoch_20*"))
    path.rename(path.with_name("renamed.npz"))
    assert run(copy, "--epoch", 20, "--version", 0, gen="fresh") == 0
    assert computed == [60]
    assert (copy / "fresh" / "renamed.umap.npz").is_file()
    assert run(copy, "--epoch", 3, gen="fresh") == 2
    assert "there are version 0 epoch 1, version 0 epoch 20" in capsys.readouterr().err


def test_one_archive_or_none(copy: Path, computed: list[int], capsys) -> None:
    assert run(copy, gen=next((copy / "fresh").glob("*epoch_1-*")).relative_to(copy)) == 0
    assert computed == [60]
    (copy / "empty").mkdir()
    assert run(copy, gen="empty") == 1
    assert "generate makes some" in capsys.readouterr().err


def test_a_broken_sound_is_named(copy: Path, capsys) -> None:
    x = np.zeros((7, 1600), np.float32)
    x[2] = np.nan
    with archives.writing(copy / "fresh" / "broken.npz", 0) as archive:
        archive.add("x", x)
    assert run(copy, gen="fresh/broken.npz") == 1
    assert "broken.npz: 1 of 7 clips hold NaN" in capsys.readouterr().err
    assert not (copy / "fresh" / "broken.umap.npz").exists()


def test_sounds_all_alike_are_no_cluster_and_that_is_said(copy: Path, capsys) -> None:
    with archives.writing(copy / "fresh" / "collapsed.npz", 0) as archive:
        archive.add("x", np.zeros((4, 1600), np.float32))
    assert run(copy, gen="fresh/collapsed.npz") == 0
    assert "1 clusters of at least 5 real and generated ones" in capsys.readouterr().out


def test_what_is_said_of_x_adds_up(copy: Path, capsys) -> None:
    assert run(copy, "--redo", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["archives"]
    assert all(row["outside"] + row["far"] == round(row["shares"]["X"] * row["sounds"]) for row in rows)
    row = {**rows[0], "outside": 7, "far": 3}
    assert steps.summary_lines(row)[0].endswith("; X are 7 in none of them and 3 far from all real ones")
    assert "X are" not in steps.summary_lines({**row, "outside": 0, "far": 0})[0]


def test_mean_spectrograms_are_means_by_label() -> None:
    whole = np.random.default_rng(0).normal(size=(7, 3, 2)).astype(np.float32)
    labels = np.array(["a", "b", "a", "a", "b", "a", "c"])
    made = placements.mean_spectrograms((whole[start : start + 3] for start in range(0, 7, 3)), labels)
    assert sorted(made) == ["a", "b", "c"]
    for label, mean in made.items():
        np.testing.assert_allclose(mean, whole[labels == label].mean(0), rtol=1e-5)


def test_nothing_is_kept_out_where_there_is_no_data_folder(tmp_path: Path) -> None:
    files.check_outside(None, tmp_path)
    files.check_outside(tmp_path / "data", tmp_path / "database")
    with pytest.raises(UsageError):
        files.check_outside(tmp_path / "data", tmp_path / "x" / ".." / "data" / "y")


def test_panels_are_few_and_have_the_first_and_the_last() -> None:
    assert figures.choose_panels(3) == [0, 1, 2]
    rows = figures.choose_panels(70)
    assert len(rows) == figures.MOST
    assert (rows[0], rows[-1]) == (0, 69)


def test_each_of_sixteen_classes_looks_different_and_x_is_grey() -> None:
    looks = figures.styles([f"c{number}" for number in range(16)] + ["X", "outside"])
    assert len({looks[name] for name in looks if name.startswith("c")}) == 16
    assert looks["X"][0] == looks["outside"][0] == figures.GREY


@pytest.mark.parametrize("count", [1, 5, 9, 10, 16, 30])
def test_no_two_classes_share_a_colour_and_neighbours_no_marker(count: int) -> None:
    looks = figures.styles([f"c{number}" for number in range(count)])
    colours, markers = zip(*looks.values(), strict=True)
    assert len(set(colours)) == count
    assert figures.GREY not in colours
    assert len(set(markers)) == min(count, len(figures.MARKERS))
    from matplotlib.colors import to_rgb

    values = np.array([to_rgb(colour) for colour in colours])
    far = np.abs(values[:, None] - values[None]).max(2)[~np.eye(count, dtype=bool)]
    assert far.min(initial=1) > 0.04


def test_names_stand_on_their_points() -> None:
    points = np.array([[0, 0], [0, 1], [9, 0], [5, 5]], np.float32)
    made = figures.label_places(points, np.array(["a", "a", "a", "b"]))
    assert made["a"].tolist() in points[:3].tolist()
    assert made["b"].tolist() == [5, 5]


def test_an_archive_without_sounds_is_explained(tmp_path: Path) -> None:
    with archives.writing(tmp_path / "other.npz", 0) as archive:
        archive.add("z", np.zeros((2, 3)))
    with pytest.raises(CanaryganError, match="holds no sounds"):
        placements.find_generations(tmp_path / "other.npz", None, None)
