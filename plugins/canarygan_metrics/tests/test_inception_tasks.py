import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from canarygan_metrics.classifier import classifier
from canarygan_metrics.inception import record as inception_record
from canarygan_metrics.inception.options import Scoring

from canarygan_core.cli import main
from canarygan_core.clips import Clips
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted import generators, latents
from canarygan_core.runs import Manifest, Request
from canarygan_core.testing import toy_clips

from .conftest import Toys


class Toy:
    """A generator of toy clips: the first coordinate of a latent chooses the class."""

    latent_dim, rate, samples = 2, 16000, 2048

    def __init__(self, step: int, classes: int = 3) -> None:
        self.progress = {"epoch": step // 2, "step": step}
        self.clips = toy_clips(classes, classes=3, samples=2048, seed=step).audio

    def generate(self, z):
        return self.clips[np.minimum(((z[:, 0] + 1) / 2 * len(self.clips)).astype(int), len(self.clips) - 1)]


@pytest.fixture
def version(tmp_path: Path, monkeypatch) -> Path:
    """The folder of a version whose three checkpoints make one, two and three classes."""
    folder = tmp_path / "runs" / "checkpoints" / "version_7"
    (folder / "all").mkdir(parents=True)
    for number in (1, 2, 10):
        (folder / "all" / f"epoch_{number}-step_{2 * number}.ckpt").write_text(str(number))
    known = {"1": Toy(2, 1), "2": Toy(4, 2), "10": Toy(20, 3)}
    monkeypatch.setattr(generators, "load", lambda path, *_, **__: (known[path.read_text()], None))
    return folder


def test_the_baseline_of_real_clips_is_their_number_of_classes_and_that_of_noise_is_one(toys: Toys, tmp_path) -> None:
    words = ["inception", "baseline", "-m", str(toys.classifier), "-d", str(toys.data), "--n-split", "4"]
    assert main.main([*words, "-s", str(tmp_path), "-q"]) == 0
    told = yaml.safe_load((tmp_path / "is_scores-baseline.yml").read_text())
    assert 2.7 < told["is_mean"] <= 3
    assert told["is_interval_95"][0] <= told["is_whole"] <= told["is_interval_95"][1]
    assert told["context"]["noise"]["is_mean"] < 1.5
    assert told["context"]["shuffled"]["is_mean"] < 1.6
    assert (told["clips"], told["splits"], told["context"]["noise"]["clips"]) == (48, 4, 48)
    assert told["classifier"]["digest"] == classifier.load(toys.classifier).digest
    held = told["context"]["held_out"]
    assert held["clips"] == len(classifier.load(toys.classifier).held_out) > 0
    assert 2.5 < held["is_whole"] <= 3
    assert told["context"]["ceiling"]["is_mean"] == pytest.approx(3)


def test_the_ceiling_is_that_of_the_frequencies_and_the_runs_own_clips_are_held_out(toys: Toys, version: Path) -> None:
    clips = inception_record.load_real(classifier.load(toys.classifier), Folder(toys.data))
    rows = np.flatnonzero((clips.labels == clips.classes[0]) | (np.arange(len(clips)) % 8 == 0))
    uneven, scoring = clips.select(rows), Scoring(n_split=2)
    names = uneven.sources[[0, 5, 7]].tolist()
    with Manifest.begin(version / "manifest.json", Request("train-gan")) as manifest:
        manifest.add(held_out={"sources": names})
    trained = classifier.load(toys.classifier)
    found = inception_record.find_held_out(trained, version / "all" / "epoch_1-step_2.ckpt")
    assert list(found) == names
    assert list(inception_record.find_held_out(trained)) == list(trained.held_out)
    context = inception_record.score_context(trained, uneven, scoring, found)
    counts = np.unique(uneven.labels, return_counts=True)[1] / len(uneven)
    assert context["ceiling"]["is_mean"] == pytest.approx(np.exp(-(counts * np.log(counts)).sum()))
    assert context["ceiling"]["is_mean"] < 2.5
    assert context["held_out"]["clips"] == 3


def test_every_checkpoint_of_a_version_is_scored_in_order(toys: Toys, version: Path, tmp_path, capsys) -> None:
    words = ["inception", "gan", "-m", str(toys.classifier), "-x", str(version), "--n-samples", "60", "-s"]
    assert main.main([*words, str(tmp_path / "is"), "--n-split", "2", "--batch-size", "16"]) == 0
    out = capsys.readouterr().out
    told = yaml.safe_load((tmp_path / "is" / "is_scores-version_7.yml").read_text())
    rows = told["rows"]
    assert [(row["epoch"], row["step"]) for row in rows] == [(1, 2), (2, 4), (10, 20)]
    assert [round(row["is_mean"], 1) for row in rows] == pytest.approx([1, 2, 3], abs=0.25)
    assert set(told["context"]) == {"real", "held_out", "ceiling", "noise", "shuffled"}
    assert (told["n_samples"], told["n_split"], told["version"]) == (60, 2, "7")
    assert "Best: epoch 10" in out
    manifest = json.loads((tmp_path / "is" / "is_scores-version_7.manifest.json").read_text())
    read = {one["digest"] for one in manifest["inputs"].values()}
    assert read == {told["classifier"]["digest"], *(row["checkpoint"] for row in rows)}
    assert (tmp_path / "is" / "is_scores-version_7.png").read_bytes()[:4] == b"\x89PNG"


def test_what_was_stopped_goes_on_and_scores_nothing_twice(toys: Toys, version: Path, tmp_path, monkeypatch) -> None:
    words = ["inception", "gan", "-m", str(toys.classifier), "-x", str(version), "--n-samples", "40", "--n-split", "2"]
    words += ["-q", "-s"]
    whole = inception_record.score_checkpoint
    seen = []

    def stopping(trained, path, *rest, **named):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(path.name)
        return whole(trained, path, *rest, **named)

    monkeypatch.setattr(inception_record, "score_checkpoint", stopping)
    assert main.main([*words, str(tmp_path / "is")]) == 130
    kept = yaml.safe_load((tmp_path / "is" / "is_scores-version_7.yml").read_text())
    assert len(kept["rows"]) == 2
    monkeypatch.setattr(inception_record, "score_checkpoint", lambda *a, **k: seen.append(a[1].name) or whole(*a, **k))
    assert main.main([*words, str(tmp_path / "is")]) == 0
    assert seen == ["epoch_1-step_2.ckpt", "epoch_2-step_4.ckpt", "epoch_10-step_20.ckpt"]
    assert main.main([*words, str(tmp_path / "once")]) == 0
    once, twice = ((tmp_path / name / "is_scores-version_7.yml").read_text() for name in ("once", "is"))
    assert once == twice


def test_scores_of_other_settings_are_not_mixed(toys: Toys, version: Path, tmp_path, capsys) -> None:
    words = ["inception", "gan", "-m", str(toys.classifier), "-x", str(version), "--n-split", "2", "-s", str(tmp_path)]
    assert main.main([*words, "--n-samples", "20"]) == 0
    assert main.main([*words, "--n-samples", "30"]) == 1
    assert "made with n_samples 20, not 30" in capsys.readouterr().err
    assert main.main([*words, "--n-samples", "30", "--overwrite"]) == 0


def test_scores_of_two_runs_are_not_mixed_though_their_versions_have_one_name(
    toys: Toys, version: Path, tmp_path, capsys
) -> None:
    other = tmp_path / "others" / "checkpoints" / "version_7"
    (other / "all").mkdir(parents=True)
    (version / "all" / "epoch_10-step_20.ckpt").rename(other / "all" / "epoch_10-step_20.ckpt")
    words = ["inception", "gan", "-m", str(toys.classifier), "--n-samples", "20", "--n-split", "2", "-s"]
    words += [str(tmp_path / "is"), "-x"]
    assert main.main([*words, str(version)]) == 0
    kept = (tmp_path / "is" / "is_scores-version_7.yml").read_text()
    assert main.main([*words, str(other)]) == 1
    assert "holds scores of another run" in capsys.readouterr().err
    assert (tmp_path / "is" / "is_scores-version_7.yml").read_text() == kept
    assert main.main([*words, str(other), "--overwrite"]) == 0


def test_checkpoints_of_one_run_may_be_scored_one_by_one(toys: Toys, version: Path, tmp_path) -> None:
    Manifest(version / "manifest.json", {"schema": 1}).add(task="train-gan")
    words = ["inception", "gan", "-m", str(toys.classifier), "--n-samples", "20", "--n-split", "2", "-s"]
    for name in ("epoch_1-step_2.ckpt", "epoch_2-step_4.ckpt"):
        assert main.main([*words, str(tmp_path / "is"), "-x", str(version / "all" / name)]) == 0
    told = yaml.safe_load((tmp_path / "is" / "is_scores-version_7.yml").read_text())
    assert [row["epoch"] for row in told["rows"]] == [1, 2]


def test_other_real_clips_are_not_put_beside_scores_that_are_there(toys: Toys, version: Path, tmp_path, capsys) -> None:
    words = ["inception", "gan", "-m", str(toys.classifier), "-x", str(version), "--n-split", "2", "-s", str(tmp_path)]
    words += ["--n-samples", "20"]
    assert main.main(words) == 0
    assert main.main([*words, "-d", str(toys.data)]) == 1
    assert "made with reference None, not" in capsys.readouterr().err


def test_a_checkpoint_that_makes_no_sounds_is_named(toys: Toys, tmp_path, capsys) -> None:
    words = ["inception", "gan", "-m", str(toys.classifier), "-x", str(toys.classifier), "-s", str(tmp_path)]
    assert main.main([*words, "--n-samples", "20"]) == 1
    assert "is of train-inception, and no installed model can read it: give one of train-gan" in capsys.readouterr().err


def test_latents_may_come_from_a_file(toys: Toys, version: Path, tmp_path) -> None:
    z = latents.draw(30, 2, seed=9)
    np.save(tmp_path / "z.npy", z)
    words = ["inception", "gan", "-m", str(toys.classifier), "-x", str(version / "all" / "epoch_10-step_20.ckpt"), "-q"]
    assert main.main([*words, "-z", str(tmp_path / "z.npy"), "--n-split", "2", "-s", str(tmp_path / "is")]) == 0
    (path,) = (tmp_path / "is").glob("is_scores-version_*.yml")
    (row,) = yaml.safe_load(path.read_text())["rows"]
    assert row["clips"] == 30


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["baseline", "-d", "OTHER"], "does not know ostrich; it knows s0, s1, s2"),
        (["baseline", "-m", "nowhere.ckpt"], "There is no checkpoint at nowhere.ckpt"),
        (["baseline", "--n-split", "0"], "--n-split must be at least 1"),
        (["baseline", "--n-split", "1000"], "--n-split 1000 is more than there are real clips, 48"),
        (["baseline", "-G", "2"], "scoring runs on one device"),
        (["gan", "-x", "nowhere"], "There is no checkpoint at nowhere"),
        (["gan", "-x", "VERSION", "--n-samples", "0"], "--n-samples must be at least 1"),
        (["gan", "-x", "VERSION", "--n-samples", "5"], "--n-split 10 is more than there are sounds, 5"),
        (["gan", "-x", "VERSION", "--n-samples", "20", "-z", "z.npy"], "not both"),
        (["gan", "-x", "VERSION", "-d", "OTHER"], "does not know ostrich"),
    ],
)
def test_what_cannot_be_scored_is_said(words, told, toys: Toys, version: Path, tmp_path, capsys) -> None:
    from canarygan_core import audio

    audio.write(tmp_path / "other" / "ostrich" / "1.wav", toy_clips(1).audio[0], 16000)
    audio.write(tmp_path / "other" / "s0" / "1.wav", toy_clips(1, seed=3).audio[0], 16000)
    places = {"OTHER": str(tmp_path / "other"), "VERSION": str(version)}
    given = [places.get(word, word) for word in words]
    rest = [] if "-m" in given else ["-m", str(toys.classifier)]
    rest += ["-d", str(toys.data)] if words[0] == "baseline" and "-d" not in given else []
    assert main.main(["inception", *given, *rest, "-s", str(tmp_path / "is")]) in (1, 2)
    assert told in capsys.readouterr().err
    assert not list((tmp_path / "is").glob("*.yml"))


def test_a_generator_that_has_broken_is_named(toys: Toys) -> None:
    trained = classifier.load(toys.classifier)
    broken = Clips(np.full((2, 2048), np.nan, np.float32), 16000)
    with pytest.raises(CanaryganError, match="2 of 2 sounds hold NaN or infinite samples"):
        inception_record.posteriors_of(trained, [broken])


def test_lines_of_the_curve_differ_by_colour_and_by_dashes() -> None:
    from canarygan_metrics.inception.figure import LOOKS

    colours, dashes = zip(*LOOKS.values(), strict=True)
    assert len(set(colours)) == len(set(dashes)) == len(LOOKS)
    assert "#2166ac" not in colours
