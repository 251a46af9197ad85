"""The golden test: whatever judges sounds hears the same of the same sounds, by every way in."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from commands import succeed
from toy_models import Memory

import canarygan_core
from canarygan_core import audio
from canarygan_core.audio import archives
from canarygan_core.fitted import decoders, generators, projectors
from canarygan_core.plugins import get_registry
from canarygan_core.tasks import decode
from canarygan_core.testing import toy_clips

pytest.importorskip("canarygan_metrics")
pytest.importorskip("canarygan_decoders")

NEAR = {"rel": 1e-6, "abs": 1e-6}
OPTIONS = {"max_length": 0.128, "highpass": 300.0}
DATA = ["-d", "data", "--max-length", "0.128", "--highpass", "300"]
RATE, SAMPLES = 22050, 4000
"""Of the generated sounds: another rate than that of the real clips, and longer than they are."""


def _make_sounds():
    """Sounds with an offset and a hum, which a filter takes out; such as a 16-bit file holds exactly."""
    hum = 0.1 * np.sin(2 * np.pi * 60 * np.arange(SAMPLES) / RATE)
    made = 0.6 * toy_clips(12, classes=3, samples=SAMPLES, rate=RATE, seed=5).audio + hum + 0.05
    return np.round(made * 32768).astype(np.float32) / 32768


SOUNDS = _make_sounds()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with real clips, all judges trained on them, and the sounds of a model as an archive and WAV files."""
    folder = tmp_path_factory.mktemp("hearing")
    clips = toy_clips(36, classes=3, samples=2048)
    for source, sound in zip(clips.sources, clips.audio, strict=True):
        audio.write(folder / "data" / source, sound, clips.rate)
    held_out = {"sources": clips.sources[:9].tolist(), "group_by": "none"}
    made_by = SimpleNamespace(manifest=SimpleNamespace(record={"held_out": held_out}))
    (folder / "toy.ckpt").write_text("")
    np.save(folder / "z.npy", np.arange(len(SOUNDS), dtype=np.float32)[:, None])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("CANARYGAN_CACHE", str(folder / "cache"))
        patch.setattr(generators, "load", lambda *_, **__: (Memory(SOUNDS, RATE), made_by))
        patch.setattr(decode, "_round", lambda values, digits: values.tolist())
        few = ["--seconds", "0.128", "--batch-size", "8", "--max-epochs", "2"]
        succeed("train-inception", *DATA, "-s", "inception", *few)
        cheap = ["--augment", "0", "--cnn.seconds", "0.128", "--cnn.epochs", "1", "--esn.units", "30"]
        succeed("train-decoders", *DATA, "-m", "esn", "-m", "svm", "-m", "cnn", "-s", "decoders", *cheap)
        other = ["--sampling-rate", "11025", "--max-length", "0.15", "--augment", "0"]
        succeed("train-decoders", *DATA[:2], *DATA[4:], "-m", "knn", "-s", "others", *other)
        succeed("generate", "-x", "toy.ckpt", "-z", "z.npy", "-y", "decoders", "-y", "others", "--wav", "-s", "made")
        (archive,) = (folder / "made").glob("*.npz")
        yield SimpleNamespace(archive=archive, waves=archive.with_suffix(""))


@pytest.fixture(scope="module")
def told(place):
    """By way in, what all metrics say."""
    ways = {"-x": ["-x", "toy.ckpt", "-z", "z.npy"], "archive": [place.archive], "wav": [place.waves]}
    few = ["--inception-score.n-split", "2", "--no-context", "-m", "inception", "--overwrite"]
    scores = {}
    for way, words in ways.items():
        succeed("score", *words, *DATA, *few, "-s", way.strip("-"))
        scores[way] = json.loads(Path(way.strip("-"), "scores.json").read_text())["metrics"]
    return scores


def test_every_metric_scores_the_same_by_every_way_in(told, place):
    names = get_registry().names("metric")
    assert set(told["-x"]) == set(names)
    reference = canarygan_core.dataset("data", **OPTIONS)
    generated = canarygan_core.generate(Memory(SOUNDS, RATE), np.load("z.npy"))
    for name in names:
        options = {"model_ckpt": "inception"} if "model_ckpt" in told["-x"][name]["options"] else {}
        options |= {"n_split": 2} if name == "inception-score" else {}
        needs_unseen = get_registry().get("metric", name).needs_unseen
        if not needs_unseen:
            metric = canarygan_core.get("metric", name, **options)
            told["python"] = {name: {"scores": canarygan_core.score(metric, generated, reference)[name]}}
        known = {key: value for key, value in told["-x"][name]["scores"].items() if "/" not in key}
        assert known
        for way in ("archive", "wav", "python"):
            if needs_unseen and way != "archive":
                continue  # files do not tell which real clips their model has not seen
            scores = {key: value for key, value in told[way][name]["scores"].items() if "/" not in key}
            assert scores == pytest.approx(known, **NEAR), (name, way)


def test_a_score_of_checkpoints_hears_what_score_hears(told):
    succeed("inception", "gan", "-m", "inception", "-x", "toy.ckpt", "-z", "z.npy", "--n-split", "2", "-s", "is")
    (path,) = Path("is").glob("*.yml")
    (row,) = yaml.safe_load(path.read_text())["rows"]
    for key in ("is_mean", "is_whole"):
        assert row[key] == pytest.approx(told["-x"]["inception-score"]["scores"][key], **NEAR)


def read_decoded(*words):
    succeed("decode", *words, "--no-segment", "--overwrite", "-s", "decoded")
    with open("decoded/decoded.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if "_" in name}


def test_every_decoder_says_the_same_by_every_way_in(place):
    every = ["-y", "decoders", "-y", "others"]
    columns = read_decoded(place.archive, *every)
    assert len(columns) == 3 * 4
    from_files = read_decoded(place.waves, *every)
    alone = {**read_decoded(place.waves, *every[:2]), **read_decoded(place.archive, *every[2:])}
    content = archives.read(place.archive)
    loaded = decoders.load_all([Path("decoders"), Path("others")], get_registry())
    assert len({one.hearing for one in loaded}) == 2
    raw = canarygan_core.generate(Memory(SOUNDS, RATE), np.load("z.npy"))
    for one in loaded:
        posteriors = one.judge(raw).posteriors
        np.testing.assert_allclose(content[f"posteriors_{one.key}"], posteriors, rtol=1e-6, atol=1e-6)
        expected = {"posterior": posteriors.max(1), "syllable": content[f"syllable_{one.key}"]}
        for name, values in expected.items():
            for way in (columns, from_files, alone):
                assert way[f"{one.key}_{name}"] == pytest.approx(values, **NEAR), (one.key, name)


def test_a_projector_lays_out_the_same_by_every_way_in(place):
    succeed("project", *DATA, "-s", "map", "--neighbors", "5", place.archive)
    fitted = projectors.load(Path("map/projector"), get_registry())
    placed = archives.read(Path("map/coordinates.npz"))
    expected = placed["coordinates"][placed["set"] == str(place.archive)]
    succeed("project", *DATA, "-s", "again", "--projector-ckpt", "map/projector", place.waves)
    again = archives.read(Path("again/coordinates.npz"))
    succeed("umap", *DATA, "-g", place.archive, "-s", "drawn", "--reducer-ckpt", "map/projector")
    drawn = archives.read(place.archive.with_suffix(".umap.npz"))
    raw = canarygan_core.generate(Memory(SOUNDS, RATE), np.load("z.npy"))
    for points in (again["coordinates"][again["set"] != "real"], drawn["coordinates"], fitted.project(raw)):
        np.testing.assert_allclose(points, expected, rtol=1e-6, atol=1e-6)
