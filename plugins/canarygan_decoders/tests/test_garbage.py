import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from canarygan_decoders.dataset import augmentation, decoder_dataset, garbage
from canarygan_decoders.dataset.decoder_dataset import read_dataset
from canarygan_decoders.features import Features

from canarygan_core import audio
from canarygan_core.audio import Filter
from canarygan_core.cli import main
from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError


class Hum:
    """A generator of one tone an epoch, at another rate than the clips."""

    latent_dim, rate, samples = 2, 8000, 1000

    def __init__(self, epoch: int) -> None:
        self.progress = {"epoch": epoch, "step": epoch}

    def generate(self, z: np.ndarray) -> np.ndarray:
        time = np.arange(self.samples) / self.rate
        return np.repeat(np.sin(2 * np.pi * (500 + 20 * self.progress["epoch"]) * time)[None], len(z), 0).astype(
            np.float32
        )


class Models:
    lies: ClassVar[bool] = False

    @classmethod
    def load(cls, path: Path, *_: object, **__: object):
        return Hum(int(path.read_text()) + cls.lies), None


@pytest.fixture
def run(tmp_path: Path, monkeypatch) -> Path:
    folder = tmp_path / "gan" / "checkpoints" / "version_0"
    (folder / "all").mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"schema": 1, "task": "train-gan"}))
    for epoch in (15, 30, 45, 60):
        (folder / "all" / f"epoch_{epoch}-step_{epoch * 10}.ckpt").write_text(str(epoch))
    monkeypatch.setattr(garbage.generators, "load", Models.load)
    return folder


def test_five_classes_as_large_as_the_real_ones(run: Path, syllables: Clips) -> None:
    mixed, names = garbage.add_garbage(syllables, run, (15, 30, 45), seed=0)
    assert names == ["EARLY15", "EARLY30", "EARLY45", "OT", "WN"]
    assert mixed.classes == sorted([*syllables.classes, *names])
    assert [(mixed.labels == name).sum() for name in mixed.classes] == [12] * 9
    assert (mixed.samples, mixed.rate) == (syllables.samples, syllables.rate)
    np.testing.assert_array_equal(mixed.audio[:48], syllables.audio)
    assert mixed.sources[48] == "EARLY15/0000"
    spectrum = np.abs(np.fft.rfft(mixed.audio[mixed.labels == "OT"][0]))
    assert spectrum.argmax() * 16000 / syllables.samples == pytest.approx(1700, abs=10)  # epoch 60 hums at 1700 Hz
    again, _ = garbage.add_garbage(syllables, run, (15, 30, 45), seed=0)
    np.testing.assert_array_equal(mixed.audio, again.audio)


@pytest.mark.parametrize(
    ("epochs", "message"),
    [((15, 20), "no checkpoint of epoch 20; there are those of 15, 30, 45, 60"), ((15, 60), "is the last of")],
)
def test_epochs_that_cannot_be_had(epochs: tuple[int, ...], message: str, run: Path, syllables: Clips) -> None:
    with pytest.raises(CanaryganError, match=message):
        garbage.add_garbage(syllables, run, epochs, seed=0)


def test_a_checkpoint_of_another_epoch_than_its_name_is_refused(run: Path, syllables: Clips, monkeypatch) -> None:
    monkeypatch.setattr(Models, "lies", True)
    with pytest.raises(CanaryganError, match="is of epoch 16, not 15"):
        garbage.add_garbage(syllables, run, (15,), seed=0)


def test_a_run_without_checkpoints_and_a_class_of_the_name(run: Path, syllables: Clips, tmp_path: Path) -> None:
    clash = Clips(syllables.audio, syllables.rate, labels=np.where(syllables.labels == syllables.labels[0], "WN", "a"))
    with pytest.raises(CanaryganError, match="has a class WN already"):
        garbage.add_garbage(clash, run, (15,), seed=0)
    for path in (run / "all").iterdir():
        path.unlink()
    with pytest.raises(CanaryganError, match="no checkpoints in all/"):
        garbage.add_garbage(syllables, run, (15,), seed=0)


def test_garbage_is_x_to_a_decoder(run: Path, syllables: Clips, tmp_path: Path) -> None:
    from canarygan_core.fitted import decoders
    from canarygan_core.plugins import get_registry

    for number, (sound, label) in enumerate(zip(syllables.audio, syllables.labels, strict=True)):
        audio.write(tmp_path / "data" / str(label) / f"{number}.wav", sound, syllables.rate)
    words = [
        "build-decoder-dataset",
        "-d",
        tmp_path / "data",
        "-s",
        tmp_path / "set",
        "--garbage",
        run,
        "--max-length",
        0.3,
    ]
    assert main.main([*map(str, words), "--early-epochs", "15", "--early-epochs", "30"]) == 0
    assert read_dataset(tmp_path / "set").garbage == ("EARLY15", "EARLY30", "OT", "WN", *sorted(garbage.MADE))
    assert main.main(["train-decoders", "-p", str(tmp_path / "set"), "-s", str(tmp_path / "d"), "-m", "svm"]) == 0
    svm = decoders.load(tmp_path / "d" / "svm", get_registry())
    noise = np.random.default_rng(5).standard_normal((5, 4800), np.float32)
    posteriors = svm.posteriors(Clips(np.concatenate([noise, syllables.audio[:5]]), 16000))
    assert set(svm.label(posteriors)[:5]) <= {"WN", "X-noise"}
    assert svm.vote(posteriors)[:5].tolist() == ["X"] * 5
    assert (svm.label(posteriors)[5:] == syllables.labels[:5]).all()


def test_default_garbage_is_of_its_classes_and_of_the_clips_alone(syllables: Clips) -> None:
    made = garbage.make_garbage(syllables, seed=0)
    assert {label: int((made.labels == label).sum()) for label in garbage.MADE} == dict.fromkeys(garbage.MADE, 12)
    assert (made.rate, made.samples, made.facts["garbage"].all()) == (syllables.rate, syllables.samples, True)
    assert np.isfinite(made.audio).all()
    assert np.abs(made.audio).max(1).min() > 0.01
    np.testing.assert_array_equal(made.audio, garbage.make_garbage(syllables, seed=0).audio)
    assert (made.audio != garbage.make_garbage(syllables, seed=1).audio).any()
    white = made.audio[made.labels == "X-noise"][0]
    power = np.square(np.abs(np.fft.rfft(white[: np.flatnonzero(white)[-1] + 1])))
    assert power[: len(power) // 2].mean() == pytest.approx(power[len(power) // 2 :].mean(), rel=0.3)


def test_bursts_are_as_many_as_a_real_class_with_its_copies(syllables: Clips, short: Features) -> None:
    with decoder_dataset.prepare_dataset(syllables, short, share=0.25, copies=2, seed=0) as dataset:
        count = {label: int((dataset.train.labels == label).sum()) for label in dataset.train.classes}
        assert [count[label] for label in syllables.classes] == [27] * 4
        assert count["X-burst"] == 27
        assert [count[label] for label in garbage.MADE if label != "X-burst"] == [9] * 4
        assert (dataset.tests["garbage"].labels == "X-burst").sum() == 3


def test_what_a_decoder_learns_of_filtered_clips_has_nothing_that_was_taken_out(
    syllables: Clips, short: Features
) -> None:
    clips = audio.hear(syllables, Filter(highpass=2000))
    with decoder_dataset.prepare_dataset(clips, short, share=0.25, copies=1, seed=0) as dataset:
        copies = next(augmentation.iterate_copies(dataset.clips, 1, seed=0))
        for part in (copies, *dataset.test_clips.values()):
            power = np.square(np.abs(np.fft.rfft(part.audio))).sum(0)
            assert power[: 1000 * clips.samples // clips.rate].sum() < 1e-3 * power.sum()


def test_reversed_and_shuffled_syllables_keep_their_energy() -> None:
    time = np.arange(4000) / 16000
    sounds = np.zeros((2, 4800), np.float32)
    sounds[:, 400:4400] = np.sin(2 * np.pi * 1500 * time) * np.linspace(0.1, 1, 4000)
    backwards = garbage._reverse(sounds.copy(), 16000)
    np.testing.assert_allclose(np.square(backwards).sum(1), np.square(sounds).sum(1), rtol=1e-6)
    assert np.square(backwards[:, 400:2000]).sum() > np.square(backwards[:, 2800:4400]).sum()
    moved = garbage._shuffle_bands(sounds.copy(), np.random.default_rng(0))
    peak = np.abs(np.fft.rfft(moved)).argmax(1) * 16000 / 4800
    assert (np.abs(peak - 1500) > 500).all()


def test_a_class_of_a_garbage_label_is_refused(syllables: Clips, short) -> None:
    labels = np.where(syllables.labels == syllables.labels[0], "X-noise", "a")
    with (
        pytest.raises(CanaryganError, match="--no-default-garbage"),
        decoder_dataset.prepare_dataset(
            Clips(syllables.audio, syllables.rate, labels=labels), short, share=0.1, copies=0, seed=0
        ),
    ):
        pass
