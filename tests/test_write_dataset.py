"""The write-dataset task."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import soundfile

from canarygan_core import audio
from canarygan_core.clips import Clips
from canarygan_core.components import Dataset
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError
from canarygan_core.tasks.write_dataset import write_dataset

SOUNDS = np.random.default_rng(0).integers(-32768, 32768, (6, 8000)).astype(np.float32) / 32768


@dataclass(frozen=True)
class Toy(Dataset):
    name: ClassVar[str] = "toy"
    labels: tuple[str, ...] | None = ("b", "a", "b", "a", "b", "b")
    factor: float = 1.0

    def load(self):
        labels = None if self.labels is None else np.array(self.labels)
        return Clips(audio=SOUNDS * np.float32(self.factor), rate=8000, labels=labels)


def test_what_is_written_is_read_back_by_the_folder_dataset(tmp_path, monkeypatch):
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    answer = write_dataset(dataset=Toy(), save_dir=tmp_path / "new" / "set")
    assert answer.exit_code == 0
    assert answer.data["classes"] == ["a", "b"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["set"]
    assert soundfile.info(tmp_path / "new" / "set" / "a" / "0001.wav").subtype == "PCM_16"
    clips = Folder(data_dir=tmp_path / "new" / "set", sampling_rate=8000, gain="none", remove_mean=False).load()
    assert clips.sources.tolist() == ["a/0000.wav", "a/0001.wav", *(f"b/000{n}.wav" for n in range(4))]
    np.testing.assert_array_equal(clips.audio, SOUNDS[[1, 3, 0, 2, 4, 5]])


def test_an_empty_folder_will_do(tmp_path):
    (tmp_path / "set").mkdir()
    write_dataset(dataset=Toy(), save_dir=tmp_path / "set")
    assert len(list((tmp_path / "set").rglob("*.wav"))) == 6


def test_nothing_that_is_there_is_lost(tmp_path, monkeypatch):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "thesis.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    with pytest.raises(CanaryganError, match="not empty"):
        write_dataset(dataset=Toy(), save_dir=tmp_path / "set")
    with pytest.raises(CanaryganError, match="is a file"):
        write_dataset(dataset=Toy(), save_dir=tmp_path / "file")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(CanaryganError, match="folder you are in"):
        write_dataset(dataset=Toy(), save_dir=tmp_path / "here")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "here", "set", "thesis.txt"]


def test_an_interruption_leaves_nothing(tmp_path, monkeypatch):
    written, write = [], audio.write

    def stopping(path, *args):
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(path)
        write(path, *args)

    monkeypatch.setattr(audio, "write", stopping)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(dataset=Toy(), save_dir=tmp_path / "set")
    assert len(written) == 3
    assert list(tmp_path.iterdir()) == []


def test_labels_are_needed_and_must_be_names_of_folders(tmp_path):
    with pytest.raises(CanaryganError, match="no labels"):
        write_dataset(dataset=Toy(labels=None), save_dir=tmp_path / "set")
    for label in ("../up", "", ".hidden", "a/b", "CON:"):
        with pytest.raises(CanaryganError, match="cannot be the name"):
            write_dataset(dataset=Toy(labels=(label, *"aaaaa")), save_dir=tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


def test_clipping_is_said(tmp_path):
    assert "6 exceed full scale" in write_dataset(dataset=Toy(factor=1.5), save_dir=tmp_path / "set").text
