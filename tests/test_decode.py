"""`decode` and `generate -y`, by the kernel alone: with toy decoders and no torch."""

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from commands import table
from toy_decoders import CLASSES, RATE, Pitch, tone

from canarygan_core import audio
from canarygan_core.audio import archives, sounds
from canarygan_core.cli import main
from canarygan_core.plugins import Registry
from canarygan_core.tasks import decode as decode_task
from canarygan_core.tasks import generate as generate_task


class Tones:
    """A generator of tones: the first latent chooses the pitch, below -0.9 silence."""

    latent_dim, rate, samples = 1, RATE, 1600
    progress: ClassVar[dict[str, int]] = {"epoch": 3, "step": 7}

    def generate(self, z: Any) -> Any:
        time = np.arange(self.samples) / self.rate
        made = np.sin(2 * np.pi * (2500 + 1400 * z[:, :1]) * time).astype(np.float32)
        return np.where(z[:, :1] < -0.9, 0, made).astype(np.float32)


@pytest.fixture(autouse=True)
def registry(offer: Callable[..., Registry], monkeypatch: pytest.MonkeyPatch) -> Registry:
    made = offer(Pitch)
    for task in (decode_task, generate_task):
        monkeypatch.setattr(task, "get_registry", lambda: made)
    monkeypatch.setattr(logging.getLogger("canarygan"), "propagate", True)
    return made


def rows_of(folder: Path) -> list[dict[str, str]]:
    return table(folder / "decoded.csv")


def test_sounds_folders_and_archives_in_one_table(trained: Path, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "data"
    for name, hertz in (("b/mid.wav", 2500), ("a/low.wav", 1000)):
        audio.write(folder / name, tone(hertz), RATE)
    audio.write(tmp_path / "some.wav", tone(3900, rate=44100), 44100)
    with archives.writing(tmp_path / "generation.npz", 0) as archive:
        archive.add("x", np.stack([tone(1000), np.zeros(1600, np.float32), tone(3900)]))
        archive.add("rate", np.asarray(RATE))
    words = ["decode", "-y", str(trained), *(str(tmp_path / name) for name in ("some.wav", "data", "generation.npz"))]
    assert main.main([*words, "-s", str(tmp_path / "out")]) == 0
    rows = rows_of(tmp_path / "out")
    labels = ["hoch \u00fc", "low", "mid, or so", "low", "X", "hoch \u00fc"]
    assert [row["label"] for row in rows] == [row["one"] for row in rows] == [row["two"] for row in rows] == labels
    assert [Path(row["file"]).name for row in rows] == ["some.wav", "low.wav", "mid.wav", *["generation.npz"] * 3]
    assert [row["row"] for row in rows] == ["0", "0", "0", "0", "1", "2"]
    assert [float(row["offset"]) for row in rows[3:]] == pytest.approx([0.1, 0.2, 0.3])
    assert float(rows[0]["one_posterior"]) > 0.9
    assert float(rows[4]["one_margin"]) == 0
    record = json.loads((tmp_path / "out" / "decoded.manifest.json").read_text())
    assert record["status"] == "finished"
    archives_read = {row["file"] for row in rows if row["file"].endswith(".npz")}
    assert set(record["inputs"]) == {"decoder one", "decoder two", *archives_read}
    assert "resampled" in capsys.readouterr().err
    assert main.main([*words, "-s", str(tmp_path / "out")]) == 1
    assert "--overwrite" in capsys.readouterr().err


def test_coordinates_beside_a_generation_are_passed_over(trained: Path, tmp_path: Path, capsys) -> None:
    with archives.writing(tmp_path / "g.npz", 0) as archive:
        archive.add("x", np.stack([tone(1000), tone(3900)]))
        archive.add("rate", np.asarray(RATE))
    with archives.writing(tmp_path / "g.umap.npz", 0) as archive:
        archive.add("coordinates", np.zeros((2, 2), np.float32))
    words = ["decode", "-y", str(trained / "one"), *map(str, sorted(tmp_path.glob("*.npz")))]
    assert main.main([*words, "-s", str(tmp_path / "out")]) == 0
    assert [row["pitch"] for row in rows_of(tmp_path / "out")] == ["low", "hoch \u00fc"]
    assert capsys.readouterr().err.count("g.umap.npz") == 1


def test_a_linked_class_folder_is_decoded(trained: Path, tmp_path: Path) -> None:
    for name in ("data/a/0.wav", "elsewhere/0.wav", "elsewhere/1.wav"):
        audio.write(tmp_path / name, tone(1000), RATE)
    (tmp_path / "data" / "b").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert main.main(["decode", "-y", str(trained), str(tmp_path / "data"), "-s", str(tmp_path / "out")]) == 0
    assert len(rows_of(tmp_path / "out")) == 3


def test_a_long_recording_by_its_onsets(trained: Path, tmp_path: Path) -> None:
    quiet = np.zeros(RATE, np.float32)
    long = np.concatenate([quiet, tone(1000), quiet, tone(3900), quiet, tone(2500)])
    audio.write(tmp_path / "long.wav", np.stack([long, long], 1), RATE)
    (tmp_path / "onsets.csv").write_text("onset;offset\n1.0;1.1\n2.1;2.2\n3.2;3.3\n")
    words = ["decode", "-y", str(trained / "one"), str(tmp_path / "long.wav"), "--onsets", str(tmp_path / "onsets.csv")]
    assert main.main([*words, "-s", str(tmp_path / "out"), "--format", "csv", "--format", "audacity"]) == 0
    assert [row["pitch"] for row in rows_of(tmp_path / "out")] == ["low", "hoch \u00fc", "mid, or so"]
    lines = (tmp_path / "out" / "long.labels.txt").read_text(encoding="utf-8").splitlines()
    assert lines == [
        "1.000000\t1.100000\tlow",
        "2.100000\t2.200000\thoch \u00fc",
        "3.200000\t3.300000\tmid, or so",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("onset,end\n1,2\n", "columns onset and offset"),
        ("onset,offset\n1,x\n", "line 2: onset and offset must be numbers"),
        ("onset,offset\n2,1\n", "before the offset"),
        ("onset,offset\n", "no line below"),
        ("onset,offset\n0.1,9\n", "lasts 0.500 s"),
        ("file,onset,offset\nother.wav,0,0.1\n", "r.wav; it names other.wav"),
        ("file,onset,offset\nr.wav,0,0.1\nother.wav,0,0.1\n", "names other.wav"),
    ],
)
def test_tables_that_cannot_be_used(text: str, said: str, trained: Path, tmp_path: Path, capsys) -> None:
    audio.write(tmp_path / "r.wav", tone(1000, 0.5), RATE)
    (tmp_path / "t.csv").write_text(text)
    words = ["decode", "-y", trained, tmp_path / "r.wav", "--onsets", tmp_path / "t.csv", "-s", tmp_path / "out"]
    assert main.main(list(map(str, words))) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out" / "decoded.csv").exists()


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        ([], "Give sound files", 2),
        (["nothing.wav"], "There is no file and no folder at nothing.wav", 1),
        (["empty"], "holds no sound: no .wav", 1),
        (["silence.npz"], "holds no sounds: an archive from generate has x, this has z", 1),
        (["long.wav"], "--onsets", 1),
        (["good.wav", "bad.wav"], "1 of 2 sounds cannot be used", 1),
        (["good.wav", "-p", "p.yml"], "no feature parameters to compare", 2),
    ],
)
def test_what_cannot_be_decoded_is_explained(
    words: list[str], said: str, code: int, trained: Path, tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    np.savez("silence.npz", z=np.zeros((3, 2), np.float32))
    audio.write(Path("long.wav"), np.tile(tone(1000, 1), 12), RATE)
    audio.write(Path("good.wav"), tone(1000), RATE)
    Path("bad.wav").write_text("not a sound")
    assert main.main(["decode", "-y", "decoders", *words]) == code
    assert said in capsys.readouterr().err
    if "bad.wav" in words:
        assert main.main(["decode", "-y", "decoders", *words, "--skip-unusable"]) == 0
        assert "bad.wav" in capsys.readouterr().err


def test_generate_writes_labels_beside_sounds(trained: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    checkpoint = tmp_path / "c.ckpt"
    checkpoint.write_bytes(b"x")
    monkeypatch.setattr(generate_task.generators, "load", lambda *_, **__: (Tones(), None))
    z = np.float32([[-0.8], [0], [1], [-1], [1]])
    np.save(tmp_path / "z.npy", z)
    words = ["generate", "-x", checkpoint, "-s", tmp_path / "out", "-z", tmp_path / "z.npy", "-y", trained / "one"]
    assert main.main([*map(str, words), "--batch-size", "2", "--device", "cpu"]) == 0
    path = next((tmp_path / "out").glob("*.npz"))
    made = archives.read(path)
    assert made["y_pitch"].dtype.kind == "U"
    assert made["y_pitch"].tolist() == ["low", "mid, or so", "hoch \u00fc", "X", "hoch \u00fc"]
    assert made["posteriors_pitch"].shape == (5, 3)
    assert made["classes_pitch"].tolist() == list(CLASSES)
    assert made["syllable_pitch"].shape == made["agreement"].shape == made["posterior"].shape == (5,)
    assert made["label_pitch"].tolist() == made["label"].tolist()
    sure = sum(label != "X" for label in made["label"])
    assert f"{sure} of 5 sounds are sure, the others X." in capsys.readouterr().out
    np.testing.assert_array_equal(made["z"], z)
    assert made["x"].shape == (5, 1600)
    assert main.main(["decode", "-y", str(trained / "one"), str(path), "-s", str(tmp_path / "again")]) == 0
    assert [row["pitch"] for row in rows_of(tmp_path / "again")] == made["y_pitch"].tolist()


def test_broken_sounds_of_an_archive_are_named_or_left_out(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = np.stack([tone(1000), np.full(1600, np.inf, np.float32), tone(1000)])
    np.savez(tmp_path / "odd.npz", x=strange)
    words = ["decode", str(tmp_path / "odd.npz"), "-y", str(trained), "-s", str(tmp_path / "told")]
    assert main.main(words) == 1
    said = capsys.readouterr().err
    assert "odd.npz#1: holds NaN or infinite samples" in said
    assert said.count("does not say its sampling rate") == 1
    assert main.main([*words, "--skip-unusable"]) == 0
    assert [row["row"] for row in rows_of(tmp_path / "told")] == ["0", "2"]


def test_batches_and_lengths_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    for number in range(5):
        audio.write(tmp_path / f"{number}.wav", tone(1000 + 500 * number, 0.1 + 0.3 * number), RATE)
    found, hearing = sounds.collect_sounds([tmp_path]), audio.Hearing(RATE, RATE)
    together = np.concatenate([clips.audio for _, clips, _ in sounds.read_clips(found, hearing)])
    monkeypatch.setattr(sounds, "BATCH", 2)
    parts = list(sounds.read_clips(found, hearing))
    assert [len(heard) for heard, _, _ in parts] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate([clips.audio for _, clips, _ in parts]), together)
    assert together.shape == (5, RATE)
    assert "1 of 5 sounds are longer than 1 s" in caplog.text


def test_decoding_needs_no_torch(trained: Path, tmp_path: Path) -> None:
    import subprocess

    script = "import sys, canarygan_core.tasks.decode, canarygan_core.fitted.decoders; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
