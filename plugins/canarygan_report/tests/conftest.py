import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml

from canarygan_core import audio
from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.runs import Manifest, Request, files

RATE = 16000
EVIL = "<img src=x onerror=alert(1)>"
WORSE = "</script><script>alert(2)</script><b>"


@dataclass(frozen=True)
class ToyRun:
    """What a run and the tasks after it leave: 24 real clips of 3 classes, 30 generated sounds, their map and scores.

    Attributes:
        folder: holds `data`, `runs`, `generated`, `umap` and `scores`.
        tones: frequency of each class, Hz.
        sounds: (30, 3200) what was generated.
    """

    folder: Path
    tones: dict[str, int]
    sounds: np.ndarray

    @property
    def words(self) -> list[str]:
        """The options of a report on all of it."""
        flags = {"-x": "runs", "-d": "data", "-g": "generated", "--umap": "umap", "--scores": "scores"}
        return [word for flag, name in flags.items() for word in (flag, str(self.folder / name))]


def tone(frequency: float, start: int, length: int, *, samples: int = 3200) -> np.ndarray:
    """A tone of half of full scale in silence, float32 (samples,)."""
    sound = np.zeros(samples, np.float32)
    sound[start : start + length] = 0.5 * np.sin(2 * np.pi * frequency * np.arange(length) / RATE)
    return sound


@pytest.fixture(scope="session")
def toy_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToyRun]:
    """A run with names in it that would be markup, were they not kept from it."""
    folder = tmp_path_factory.mktemp("toy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANARYGAN_CACHE", str(folder / "cache"))
        tones = {"A": 1000, "B": 2000, EVIL: 4000}
        _data(folder / "data", tones)
        _run(folder)
        sounds = _generated(folder, tones)
        _scores(folder / "scores")
        yield ToyRun(folder, tones, sounds)


def _data(folder: Path, tones: dict[str, int]) -> None:
    for label, frequency in tones.items():
        for number in range(8):
            audio.write(folder / label / f"{number}.wav", tone(frequency, 160, 800 + 40 * number), RATE)


def _run(folder: Path) -> None:
    options = {
        "model": {"name": "wavegan", "options": {"latent_dim": 3, "dim": 4}},
        "dataset": {
            "name": "folder",
            "options": {
                "data_dir": str(folder / "data"),
                "sampling_rate": RATE,
                "max_length": 0.2,
                "gain": "none",
                "skip_unusable": False,
            },
        },
    }
    request = Request("train-gan", ("train-gan", "-d", "da ta"), options)
    manifest = Manifest.begin(folder / "runs" / "checkpoints" / "version_3" / "manifest.json", request)
    manifest.add(result={"updates": 120, "epochs": 40, "samples": 3200})
    manifest.warn("Generated sounds are nearly all alike.")
    manifest.end("failed", WORSE)
    log = folder / "runs" / "logs" / "csv" / "version_3" / "metrics.csv"
    log.parent.mkdir(parents=True)
    with open(log, "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["critic/wasserstein", "empty", "epoch", "step"])
        writer.writerows([[3 / (1 + step), "", step / 3, step] for step in range(1, 121)])


def _generated(folder: Path, tones: dict[str, int]) -> np.ndarray:
    labels = np.array((["A"] * 12) + (["B"] * 12) + ([WORSE] * 6))
    sounds = np.stack([tone(list(tones.values())[row % 3], 320, 1600) for row in range(30)])
    latents = np.random.default_rng(0).uniform(-1, 1, (30, 3)).astype(np.float32)
    for epoch in (2, 40):
        path = folder / "generated" / f"generation-version_3-epoch_{epoch}-step_{3 * epoch}.npz"
        with archives.writing(path, sounds.nbytes) as archive:
            archive.add("x", sounds if epoch == 40 else sounds[::-1])
            archive.add("z", latents)
            archive.add("y_knn", labels)
            archive.add("posteriors_knn", np.linspace(0, 1, 60, dtype=np.float32).reshape(30, 2))
            archive.add("threshold_knn", np.asarray(0.25))
            for name, value in {"rate": RATE, "version": "3", "epoch": epoch, "step": 3 * epoch}.items():
                archive.add(name, np.asarray(value))
    across, up = np.meshgrid(np.arange(6.0), np.arange(5.0))
    map_of = np.stack([across.ravel(), up.ravel()], 1)
    with archives.writing(path.with_name(f"{path.stem}.umap.npz"), 0) as archive:
        archive.add("coordinates", map_of.astype(np.float32))
        archive.add("cluster", np.repeat([0, 1, -1], [12, 12, 6]))
        archive.add("label", labels)
        archive.add("archive", np.asarray(files.compute_digest(path)))
    sources = np.array([f"{label}/{number}.wav" for label in sorted(tones) for number in range(8)])
    with archives.writing(folder / "umap" / "real.umap.npz", 0) as archive:
        archive.add("coordinates", (map_of[:24] + 0.5).astype(np.float32))
        archive.add("labels", np.array([source.split("/")[0] for source in sources]))
        archive.add("sources", sources)
    return sounds


def _scores(folder: Path) -> None:
    folder.mkdir()
    rows = [{"epoch": epoch, "step": 3 * epoch, "is_mean": 1 + epoch / 20, "is_std": 0.1} for epoch in (40, 20, 2)]
    context = {"real": {"is_mean": 2.9, "is_std": 0.05}, "noise": {"is_mean": 1.1, "is_std": 0.01}}
    classifier = {"path": "inception/best.ckpt", "digest": "sha256:0", "classes": ["A", "B"]}
    inception = {"classifier": classifier, "context": context, "n_samples": 30, "n_split": 2, "seed": 0, "rows": rows}
    (folder / "is_scores-version_3.yml").write_text(yaml.safe_dump(inception, sort_keys=False))
    (folder / "is_scores-version_7.yml").write_text(yaml.safe_dump(inception, sort_keys=False))
    metrics = {
        "frechet": {
            "scores": {"frechet": 12.5},
            "warnings": ["30 clips are few."],
            "context": {"real": {"frechet": 1}},
        },
        "kid": {"error": "There is one clip."},
        "odd": {"scores": {"spread": float("nan")}, "unheard of": [1, {"of": None}]},
    }
    (folder / "scores.json").write_text(json.dumps({"metrics": metrics, "generated": {"clips": 30}}))
    with archives.writing(folder / "metrics-knn.npz", 0) as archive:
        archive.add("confusion", np.array([[7, 1, 0], [0, 8, 0], [0, 0, 8]]))
        archive.add("classes", np.array(["A", "B", EVIL]))
        archive.add("accuracy", np.asarray(23 / 24))


@pytest.fixture(scope="session")
def made(toy_run: ToyRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a report on all of it."""
    folder = tmp_path_factory.mktemp("reports")
    assert main.main(["run", "report", *toy_run.words, "-s", str(folder)]) == 0
    return folder / "version_3.html"
