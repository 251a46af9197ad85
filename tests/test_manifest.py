"""Manifests, and the files that are whole or not there."""

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from canarygan_core import runs
from canarygan_core.errors import CanaryganError
from canarygan_core.lightning.resuming import check_same_options
from canarygan_core.runs import Request, distributions, files
from canarygan_core.runs.manifest import SCHEMA, Manifest


@pytest.fixture
def manifest(tmp_path):
    return Manifest.begin(tmp_path / "manifest.json", Request("work", ("work",), {"task": {"seed": 1}}), seed=1)


def test_a_manifest_read_is_the_one_written(manifest):
    manifest.add(dataset={"fingerprint": "f"})
    assert Manifest.read(manifest.path).record == manifest.record
    assert manifest.record["schema"] == SCHEMA
    assert manifest.record["versions"]["python"].count(".") == 2
    assert "canarygan" in manifest.record["versions"]


def test_digests(manifest, tmp_path):
    for name, content in (("in.bin", b"in"), ("out/out.bin", b"out" * 100_000)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    manifest.add_input("data", tmp_path / "in.bin")
    manifest.add_output(tmp_path / "out" / "out.bin")
    record = json.loads(manifest.path.read_text())
    wanted = "sha256:" + hashlib.sha256(b"in").hexdigest()
    assert record["inputs"] == {"data": {"path": str(tmp_path / "in.bin"), "digest": wanted}}
    wanted = "sha256:" + hashlib.sha256(b"out" * 100_000).hexdigest()
    assert record["outputs"] == {os.path.join("out", "out.bin"): wanted}


def crash(*_, **__):
    raise RuntimeError("crash")


@pytest.mark.parametrize("fails", ["replace", "write_text", "dumps"])
def test_a_crash_leaves_the_old_file_whole(manifest, tmp_path, monkeypatch, fails):
    before = manifest.path.read_bytes()

    def half(self, text, encoding):
        with open(self, "w", encoding=encoding) as stream:
            stream.write(text[: len(text) // 2])
        crash()

    where = {"replace": (os, crash), "write_text": (Path, half), "dumps": (json, crash)}
    monkeypatch.setattr(where[fails][0], fails, where[fails][1])
    with pytest.raises(RuntimeError, match="crash"):
        manifest.add(more=1)
    assert manifest.path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".manifest.json.{0:08}.part", "manifest.json"]


def test_what_is_no_manifest(manifest, tmp_path):
    manifest.add(schema=SCHEMA + 1)
    with pytest.raises(CanaryganError, match=f"newer CanaryGAN .schema {SCHEMA + 1}, this reads {SCHEMA}.: upgrade"):
        Manifest.read(manifest.path)
    with pytest.raises(CanaryganError, match="There is no manifest at"):
        Manifest.read(tmp_path / "nowhere.json")
    for content in (b"", b"{", b"[]", b"{}", b'{"schema": "x"}', b"\xff\xfe"):
        manifest.path.write_bytes(content)
        with pytest.raises(CanaryganError, match="is not a manifest of this system"):
            Manifest.read(manifest.path)
    with pytest.raises(CanaryganError, match=r"Cannot read .*: it is no file"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize("key", ["argv", "options", "status", "started"])
def test_a_run_that_does_not_say_how_it_was_started_does_not_go_on(tmp_path, key):
    with runs.open_run(tmp_path, Request("work")) as run:
        pass
    del run.manifest.record[key]
    run.manifest.write()
    with pytest.raises(CanaryganError, match=f"manifest.json does not say how the run was started: it has no {key}"):
        runs.find_to_resume(tmp_path, runs.INFER, "work")


@pytest.mark.parametrize(
    "options",
    [{}, {"model": {"options": {}}}, {"model": [{"name": "a", "options": {}}]}, {"model": {"name": "a", "options": 3}}],
)
def test_a_run_that_does_not_say_with_which_model_it_was_started_does_not_go_on(tmp_path, options):
    with runs.open_run(tmp_path, Request("work", options=options)) as run:
        pass
    asked = Request("work", options={"model": {"name": "a", "options": {}}})
    with pytest.raises(CanaryganError, match="does not say with which model the run was started"):
        check_same_options(asked, run, {"model": None})


def test_versions_tell_of_loaded_libraries_that_have_any(monkeypatch):
    import numpy as np

    libraries = {"numpy": "numpy", "json": "json", "never_loaded": "never_loaded"}
    monkeypatch.setattr(distributions, "LIBRARIES", libraries)
    found = distributions.collect_versions()
    assert found["numpy"] == np.__version__
    assert "json" not in found
    assert "never_loaded" not in found


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "a.txt", tmp_path / "file" / "below" / "a.txt"):
        with pytest.raises(CanaryganError, match=r"Cannot write .*a\.txt"):
            files.write_text(path, "text")
    (tmp_path / "folder").mkdir()
    with pytest.raises(CanaryganError, match=r"Cannot write .*folder"):
        files.write_text(tmp_path / "folder", "text")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_full_disk_is_told_and_other_errors_are_left_alone(tmp_path):
    full = OSError(errno.ENOSPC, "No space left on device")

    def write(error):
        with files.replace_file(tmp_path / "a.bin") as partial:
            partial.write_bytes(b"half")
            raise error

    with pytest.raises(CanaryganError, match=r"Cannot write .*a\.bin: No space"):
        write(full)
    with pytest.raises(FileNotFoundError):
        write(FileNotFoundError(errno.ENOENT, "No such file", str(tmp_path / "other" / "file")))
    assert list(tmp_path.iterdir()) == []


def test_a_copy_replaces_and_shares_nothing(tmp_path):
    (tmp_path / "one").write_text("one")
    (tmp_path / "last").write_text("old")
    files.copy(tmp_path / "one", tmp_path / "last")
    assert (tmp_path / "last").read_text() == "one"
    with open(tmp_path / "last", "r+") as stream:
        stream.write("two")
    assert (tmp_path / "one").read_text() == "one"
