"""From Python: components by name, clips, trainings, and what lies at a path."""

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from recordings import noise, put
from specimens import Level, Nearest, Net, Principal
from toy_tasks import Listing

import canarygan_core
from canarygan_core import CanaryganError, Task, runs
from canarygan_core.audio import conform
from canarygan_core.components import Metric
from canarygan_core.errors import UsageError
from canarygan_core.fitted import decoders, projectors
from canarygan_core.runs import Request
from canarygan_core.testing import toy_clips

FEW = {"max_epochs": 1, "batch_size": 4, "num_workers": 0}


@dataclass(frozen=True)
class Length(Metric):
    """Samples heard."""

    name: ClassVar[str] = "length"

    place: Path | None = None
    """Somewhere."""

    def score(self, generated, reference):
        assert generated.rate == reference.rate
        return {"generated": float(generated.samples), "reference": float(reference.samples)}


@pytest.fixture
def registry(installed):
    task = Task("study", "test_notebook:study", "Study.", "test_notebook:read_back")
    return installed(Level, Length, Listing, Nearest, Principal, Net, task)


def read_back(path, device):
    if Path(path).is_file() and Path(path).read_bytes() != b"studied":
        raise CanaryganError("not studied")
    return "studied", device


def test_components_by_name_with_their_options(registry):
    assert canarygan_core.get("metric", "level", floor=-20.0) == Level(-20.0)
    assert canarygan_core.get("metric", "length", place="a/b") == Length(Path("a/b"))
    with pytest.raises(UsageError, match=r"metric level has no option 'flor'. Did you mean floor\?"):
        canarygan_core.get("metric", "level", flor=1)
    with pytest.raises(UsageError, match=r"dataset listing cannot be had so: .*path"):
        canarygan_core.get("dataset", "listing")
    with pytest.raises(UsageError, match="No metric named 'levle'"):
        canarygan_core.get("metric", "levle")


def test_clips_of_a_folder_and_of_a_dataset(registry, kept, data, tmp_path, monkeypatch):
    assert canarygan_core.dataset(data).classes == ["a", "b"]
    assert canarygan_core.dataset(str(data), max_length=0.5).samples == 8000
    assert len(canarygan_core.dataset("synthetic", syllables=2, per_class=3)) == 6
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "synthetic" / "c" / "0.wav", noise(0))
    assert canarygan_core.dataset("synthetic").classes == ["c"], "a folder of that name is meant"


def test_a_model_is_trained_goes_on_and_makes_sounds(registry, tmp_path):
    clips = toy_clips(4)
    run = canarygan_core.train(Net(), clips, tmp_path, **FEW)
    assert run.manifest.record["status"] == "finished"
    assert run.manifest.record["options"]["model"] == {"name": "net", "options": {"layers": 2}}
    again = canarygan_core.train(Net(), clips, tmp_path, resume=True, **FEW | {"max_epochs": 3})
    assert (again.version, canarygan_core.load(tmp_path).progress["epoch"]) == (run.version, 3)
    with pytest.raises(CanaryganError, match="was started with --layers 2, not 5"):
        canarygan_core.train(Net(layers=5), clips, tmp_path, resume=True, **FEW)
    with pytest.raises(UsageError, match=r"no option 'max_epoch'. Did you mean max_epochs\?"):
        canarygan_core.train(Net(), clips, tmp_path, max_epoch=1)
    for place in (tmp_path, run.checkpoints, run.last):
        generator = canarygan_core.load(place, device="cpu")
        sounds = canarygan_core.generate(generator, 5, seed=3, batch_size=2)
        assert (sounds.audio.shape, sounds.latents.shape) == ((5, 4096), (5, 2))
        assert np.array_equal(canarygan_core.generate(generator, sounds.latents).audio, sounds.audio)
    for wrong in (np.zeros((3, 4)), np.zeros((0, 2)), np.zeros(2)):
        with pytest.raises(CanaryganError, match=r"wants latents of shape \(n, 2\)"):
            canarygan_core.generate(generator, wrong)


def test_the_command_line_goes_on_with_a_training_from_python(registry, kept, data, tmp_path):
    from canarygan_core.cli.main import main

    canarygan_core.train(Net(), canarygan_core.dataset(data), tmp_path / "runs", **FEW)
    assert main(["train-gan", "--resume", "-s", str(tmp_path / "runs"), "--max-epochs", "2", "-q"]) == 0
    assert canarygan_core.load(tmp_path / "runs").progress["epoch"] == 2
    made = canarygan_core.get("dataset", "synthetic", syllables=2, per_class=2)
    canarygan_core.train(Net(), made, tmp_path / "runs", version="other", **FEW)
    assert main(["train-gan", "--resume", "-s", str(tmp_path / "runs"), "--version", "other", "-q"]) == 0


def test_decoders_and_projectors_are_loaded(registry, tmp_path):
    clips = toy_clips(12, classes=3)
    decoders.save(tmp_path / "y" / "one", Nearest(), Nearest().fit(clips), facts={"seconds": 0.256})
    projectors.fit(Principal(), clips, tmp_path / "map", registry)
    for place in (tmp_path / "y" / "one", tmp_path / "y"):
        decoder = canarygan_core.load(place)
        assert decoder.label(decoder.posteriors(clips)).tolist() == clips.labels.tolist()
    assert canarygan_core.load(str(tmp_path / "map")).project(clips).shape == (12, 2)
    decoders.save(tmp_path / "y" / "two", Nearest(), Nearest().fit(clips), facts={"seconds": 0.256})
    with pytest.raises(CanaryganError, match=r"holds 2 decoders: give one of .*one, .*two"):
        canarygan_core.load(tmp_path / "y")


def test_what_a_plugin_left_is_read_back_by_it(registry, tmp_path):
    with runs.open_run(tmp_path, Request("study", options={"task": {}})) as run:
        run.last.parent.mkdir()
        run.last.write_bytes(b"studied")
    assert canarygan_core.load(tmp_path, device="cpu") == ("studied", "cpu")
    assert canarygan_core.load(run.last, device="cpu") == ("studied", "cpu")
    (tmp_path / "alone.ckpt").write_bytes(b"studied")
    assert canarygan_core.load(tmp_path / "alone.ckpt", device="cpu") == ("studied", "cpu")


def test_what_cannot_be_read_is_told(registry, tmp_path):
    with pytest.raises(CanaryganError, match=r"There is nothing at .*gone"):
        canarygan_core.load(tmp_path / "gone")
    with pytest.raises(CanaryganError, match="Cannot find any run in"):
        canarygan_core.load(tmp_path)
    (tmp_path / "x.ckpt").write_bytes(b"junk")
    with pytest.raises(CanaryganError, match="net: "):
        canarygan_core.load(tmp_path / "x.ckpt")


def test_metrics_hear_the_rate_and_length_of_the_real_clips(registry):
    real, made = toy_clips(8), toy_clips(6, samples=1000, rate=8000)
    told = canarygan_core.score([Level(), Length()], made, real, batch_size=4)
    assert told["length"] == {"generated": 4096.0, "reference": 4096.0}
    assert told["level"] == Level().score(conform(made, 16000, 4096), real)
    assert canarygan_core.score(Level(), made, real) == {"level": told["level"]}


def test_sounds_are_padded_and_cut_at_the_end():
    clips = toy_clips(3)
    assert conform(clips, 16000, 4096) is clips
    longer, shorter = conform(clips, 16000, 5000), conform(clips, 16000, 3000)
    assert np.array_equal(longer.audio[:, :4096], clips.audio)
    assert not longer.audio[:, 4096:].any()
    assert np.array_equal(shorter.audio, clips.audio[:, :3000])
    slower = conform(replace(clips, rate=32000), 16000, 2048)
    assert (slower.rate, slower.audio.shape, slower.labels.tolist()) == (16000, (3, 2048), clips.labels.tolist())


def test_importing_the_package_imports_no_verb():
    source = "import sys, canarygan_core as c; assert 'canarygan_core.tasks' not in sys.modules; c.load"
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        canarygan_core.lode  # noqa: B018
