"""`project` and fitted projectors on disk, by the kernel alone: with a toy projector and no UMAP."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from canarygan_core import audio, plugins
from canarygan_core.audio import Hearing, archives, sounds
from canarygan_core.cli import main
from canarygan_core.clips import Clips
from canarygan_core.components import Projector
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted import projectors
from canarygan_core.runs import seals
from canarygan_core.tasks import project as project_task
from canarygan_core.testing import toy_clips

RATE = 16000


@dataclass(frozen=True)
class FittedLoudness:
    """Mean square of each half of a clip, from the mean of those it was fitted on."""

    middle: Any

    def project(self, clips: Clips) -> Any:
        halves = np.stack([np.square(half).mean(1) for half in np.array_split(clips.audio, 2, axis=1)], 1)
        return (halves - self.middle).astype(np.float32)

    def save(self, folder: Path) -> None:
        np.save(folder / "middle.npy", self.middle)


@dataclass(frozen=True)
class Loudness(Projector):
    """A toy."""

    name: ClassVar[str] = "loudness"

    scale: float = 1.0
    """Factor, ratio."""

    def fit(self, clips: Clips) -> FittedLoudness:
        return FittedLoudness(self.scale * FittedLoudness(0).project(clips).mean(0))

    @classmethod
    def load(cls, folder: Path) -> FittedLoudness:
        return FittedLoudness(np.load(folder / "middle.npy", allow_pickle=False))


@pytest.fixture(autouse=True)
def registry(installed, monkeypatch: pytest.MonkeyPatch) -> plugins.Registry:
    installed(Loudness)
    monkeypatch.setattr(project_task, "get_registry", plugins.get_registry)
    return plugins.get_registry()


@pytest.fixture
def fitted(tmp_path: Path, registry: plugins.Registry) -> Path:
    projectors.fit(Loudness(2.0), toy_clips(), tmp_path / "fitted", registry)
    return tmp_path / "fitted"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    for row, sound in enumerate(toy_clips(6, samples=1600).audio):
        audio.write(tmp_path / "data" / "ab"[row % 2] / f"{row}.wav", sound, RATE)
    return tmp_path / "data"


def words(data: Path, out: Path, *more: object) -> list[str]:
    return [
        "project",
        "--projector",
        "loudness",
        "-d",
        str(data),
        "--max-length",
        "0.1",
        "-s",
        str(out),
        *map(str, more),
    ]


def test_what_was_fitted_comes_back(fitted: Path, registry: plugins.Registry) -> None:
    found = projectors.load(fitted, registry)
    record = json.loads((fitted / "projector.json").read_text())
    assert record["projector"] == {"name": "loudness", "options": {"scale": 2.0}}
    assert (record["rate"], record["clips"], record["dataset"]["fingerprint"]) == (RATE, 8, "toy-8-2-4096-16000-0")
    clips = toy_clips(5, seed=3)
    np.testing.assert_array_equal(found.project(clips), Loudness(2.0).fit(toy_clips()).project(clips))


def test_many_clips_go_through_a_few_at_a_time(fitted: Path, registry, monkeypatch) -> None:
    found = projectors.load(fitted, registry)
    seen: list[int] = []
    real = FittedLoudness.project
    monkeypatch.setattr(FittedLoudness, "project", lambda self, clips: seen.append(len(clips)) or real(self, clips))
    monkeypatch.setattr(projectors, "BATCH", 3)
    clips = toy_clips(8)
    np.testing.assert_array_equal(found.project(clips), real(found.fitted, clips))
    assert seen == [3, 3, 2]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"schema": 99}, "newer CanaryGAN"),
        ({"schema": None}, "is not the record of a projector: schema is null"),
        ({"rate": "fast"}, "rate is 'fast', and not a whole number"),
        ({"projector": {}}, "it has no projector.name"),
        ({"projector": {"name": "loudnes"}}, "is of projector loudnes, which is not installed"),
        ({"files": {"../../etc/passwd": "sha256:0"}}, "is missing"),
        ({"files": {"middle.npy": "sha256:0"}}, "cut short or changed.*fit anew"),
    ],
)
def test_records_that_cannot_be_trusted(keys: dict[str, Any], said: str, fitted: Path, registry) -> None:
    record = json.loads((fitted / "projector.json").read_text())
    (fitted / "projector.json").write_text(seals.dump(record | keys))
    with pytest.raises(CanaryganError, match=said):
        projectors.load(fitted, registry)


def test_a_record_that_was_changed_by_hand_is_refused(fitted: Path, registry) -> None:
    path = fitted / "projector.json"
    path.write_text(path.read_text().replace('"rate": ', '"rate": 1'))
    with pytest.raises(CanaryganError, match=r"projector\.json is not the file that was written"):
        projectors.load(fitted, registry)


def test_a_folder_of_something_else_is_neither_loaded_nor_replaced(tmp_path: Path, registry) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("long")
    with pytest.raises(CanaryganError, match=r"no projector.json in it. project makes one"):
        projectors.load(tmp_path / "thesis", registry)
    with pytest.raises(CanaryganError, match="is no projector"):
        projectors.fit(Loudness(), toy_clips(), tmp_path / "thesis", registry)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis"]
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "long"


def test_clips_of_another_rate_are_refused(fitted: Path, registry) -> None:
    with pytest.raises(CanaryganError, match=r"of 16000 Hz, and these are of 8000 Hz.*--sampling-rate 16000"):
        projectors.load_for(fitted, toy_clips(rate=8000), registry)


@pytest.mark.parametrize("given", [np.zeros((8, 2, 1)), np.zeros((7, 2)), np.full((8, 2), np.nan)])
def test_what_is_no_coordinates_is_refused(given: Any, fitted: Path, registry, monkeypatch) -> None:
    found = projectors.load(fitted, registry)
    monkeypatch.setattr(FittedLoudness, "project", lambda self, clips: given)
    with pytest.raises(CanaryganError, match="Projector loudness gave"):
        found.project(toy_clips())


def test_a_broken_clip_is_named(fitted: Path, registry) -> None:
    clips = toy_clips()
    clips.audio[3, 7] = np.nan
    with pytest.raises(CanaryganError, match=r"1 of 8 clips hold NaN or infinite samples \(s1/0003.wav\)"):
        projectors.load(fitted, registry).project(clips)


def test_clips_files_and_archives_on_one_map(data: Path, tmp_path: Path) -> None:
    x = toy_clips(5, samples=1200, seed=4).audio
    (tmp_path / "more").mkdir()
    with archives.writing(tmp_path / "more" / "generation.npz", 0) as archive:
        archive.add("x", x)
        archive.add("rate", np.asarray(RATE))
    with archives.writing(tmp_path / "more" / "generation.umap.npz", 0) as archive:
        archive.add("coordinates", np.zeros((5, 2), np.float32))
    audio.write(tmp_path / "one.wav", x[0], RATE)
    assert main.main(words(data, tmp_path / "out", tmp_path / "more", tmp_path / "one.wav")) == 0
    made = archives.read(tmp_path / "out" / "coordinates.npz")
    archived, single = str(tmp_path / "more" / "generation.npz"), str(tmp_path / "one.wav")
    assert made["set"].tolist() == ["real"] * 6 + [archived] * 5 + [single]
    assert made["labels"].tolist() == ["a"] * 3 + ["b"] * 3 + [""] * 6
    assert made["sources"][[0, 6, 10]].tolist() == ["a/0.wav", f"{archived}#0", f"{archived}#4"]
    clips = Folder(data_dir=data, max_length=0.1).load()
    expected = Loudness().fit(clips)
    np.testing.assert_array_equal(made["coordinates"][:6], expected.project(clips))
    padded = Clips(np.pad(audio.convert(x, RATE, RATE, audio.Filter()), ((0, 0), (0, 400))), RATE)
    np.testing.assert_allclose(made["coordinates"][6:11], expected.project(padded), atol=1e-6)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert set(manifest["outputs"]) == {"coordinates.npz", "projector/projector.json"}


def test_a_fitted_projector_is_used_again(data: Path, fitted: Path, tmp_path: Path, capsys) -> None:
    reuse = ["--projector-ckpt", fitted]
    assert main.main(words(data, tmp_path / "out", *reuse, "--scale", 2)) == 2
    assert "--scale would be ignored" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main.main(words(data, tmp_path / "out", *reuse)) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["coordinates.npz", "manifest.json"]
    clips = Folder(data_dir=data, max_length=0.1).load()
    heard = Hearing.of(toy_clips()).hear(clips)  # as those that it was fitted on, which are longer
    assert heard.samples > clips.samples
    expected = Loudness(2.0).fit(toy_clips()).project(heard)
    np.testing.assert_array_equal(archives.read(tmp_path / "out" / "coordinates.npz")["coordinates"], expected)


def test_coordinates_are_not_replaced_unasked(data: Path, tmp_path: Path, capsys) -> None:
    assert main.main(words(data, tmp_path / "out")) == 0
    before = (tmp_path / "out" / "coordinates.npz").read_bytes()
    assert main.main(words(data, tmp_path / "out")) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main.main(words(data, tmp_path / "out", "--overwrite")) == 0
    assert (tmp_path / "out" / "coordinates.npz").read_bytes() == before


def test_sounds_are_not_sought_among_coordinates(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.umap.npz", coordinates=np.zeros((3, 2), np.float32))
    with pytest.raises(CanaryganError, match="holds no sound"):
        sounds.collect_sounds([tmp_path])
