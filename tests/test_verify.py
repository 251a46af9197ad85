"""`verify`: which files it compares, with what, and what it says; and a cache that heals."""

import json

import numpy as np
import pytest
from commands import succeed
from flips import flip, replace, tell

from canarygan_core import runs
from canarygan_core.cli import main
from canarygan_core.datasets import cache
from canarygan_core.datasets.folder import Folder
from canarygan_core.runs import Manifest, Request, files, seals
from canarygan_core.runs.verification import Verification
from canarygan_core.tasks import sample as sample_task


@pytest.fixture
def drawn(tmp_path):
    sample_task.sample(save_dir=tmp_path / "z", n_samples=5, dim=2, request=Request("sample"))
    return tmp_path / "z" / "latent_z-dim_2.npy"


def test_a_whole_file_and_a_whole_folder(drawn, capsys):
    for path in (drawn, drawn.parent, drawn.with_suffix(".manifest.json")):
        assert main.main(["verify", str(path)]) == 0
        assert "Whole: 2 files are as they were written." in capsys.readouterr().out


def test_a_changed_and_a_missing_file_are_named(drawn, capsys):
    restore = flip(drawn)
    assert tell(capsys, drawn.parent) == ([f"{drawn} is not the file that sample wrote."], 1)
    restore()
    assert tell(capsys, drawn.parent) == ([], 0)
    drawn.unlink()
    assert tell(capsys, drawn.parent) == ([f"{drawn} is missing."], 1)


def test_a_changed_manifest_is_named(drawn, capsys):
    manifest = drawn.with_suffix(".manifest.json")
    replace(manifest, manifest.read_bytes().replace(b'"seed": 0', b'"seed": 1'))
    assert tell(capsys, manifest) == ([f"{manifest} has changed since it was written."], 1)


def test_what_nothing_tells_of_is_an_error_or_a_note(drawn, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("x")
    assert main.main(["verify", str(tmp_path / "notes.txt")]) == 1
    assert "holds nothing that says what it was" in capsys.readouterr().err
    assert main.main(["verify", str(tmp_path)]) == 0
    assert "Not checked: 1 files that no manifest tells of were not checked: notes.txt." in capsys.readouterr().out
    assert main.main(["verify", str(tmp_path / "nowhere")]) == 1
    assert main.main(["verify"]) == 2


def test_what_others_were_made_from_is_told_first(drawn, tmp_path, capsys):
    with Manifest.begin(tmp_path / "out.manifest.json", Request("generate")) as manifest:
        manifest.add_input("latents", drawn)
        files.write_text(tmp_path / "out.txt", "made")
        manifest.add_output(tmp_path / "out.txt")
    (tmp_path / "out.txt").write_text("other")
    flip(drawn)
    faults, code = tell(capsys, tmp_path / "out.txt")
    made = f"{tmp_path / 'out.txt'} is not the file that generate wrote."
    assert faults == [f"{drawn} is not the file that sample wrote.", made]
    assert code == 1
    drawn.unlink()
    assert f"{drawn}, from which" in verified(tmp_path / "out.txt").notes[0]


def verified(path):
    verification = Verification(lambda record, path: iter(()))
    verification.verify(path)
    return verification


def test_logs_of_a_run_that_goes_on_are_not_compared(tmp_path):
    with runs.open_run(tmp_path, Request("train-gan")) as run:
        log = run.logs("csv") / "metrics.csv"
        files.write_text(log, "step\n1\n")
    assert verified(tmp_path).faults == []
    files.write_text(log, "step\n2\n")
    assert verified(tmp_path).faults == [f"{log} is not the file that train-gan wrote."]
    Manifest.read(run.manifest.path).add(status="running")
    assert verified(tmp_path).faults == []


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    succeed("write-dataset", "-s", tmp_path / "data", "--syllables", 2, "--per-class", 3)
    Folder(data_dir=tmp_path / "data").load()
    return tmp_path / "data"


@pytest.mark.parametrize("name", ["audio.npy", "table.npz", "about.json"])
def test_a_flipped_byte_in_the_cache_is_told_and_healed(data, name, tmp_path, capsys):
    (path,) = (tmp_path / "cache" / "folder").glob(f"*/{name}")
    whole = path.read_bytes()
    before = Folder(data_dir=data).load()
    flip(path)
    faults, _ = tell(capsys, path.parent)
    assert [fault.split(" ")[0] for fault in faults] == [str(path)]
    cache.faults.clear()
    after = Folder(data_dir=data).load()
    assert cache.faults == [f"{path} has changed since it was written, and was built again."]
    np.testing.assert_array_equal(after.audio, before.audio)
    assert path.read_bytes() == whole
    cache.faults.clear()
    Folder(data_dir=data).load()
    assert cache.faults == []


def test_a_cache_file_of_values_without_size_is_told_and_kills_nobody(data, tmp_path):
    (path,) = (tmp_path / "cache" / "folder").glob("*/audio.npy")
    with open(path, "wb") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<U0", "fortran_order": False, "shape": (6, 2)})
    about = json.loads((path.parent / "about.json").read_text())
    about["files"]["audio.npy"] = f"xxh3:{seals.compute_hash(path)}"
    (path.parent / "about.json").write_text(seals.dump(about))
    cache.faults.clear()
    assert len(Folder(data_dir=data).load()) == 6
    assert len(cache.faults) == 1
    assert "holds <U0 (6, 2), and no plain values" in cache.faults[0]
