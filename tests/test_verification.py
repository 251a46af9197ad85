"""What `verify` compares, with what, and the sentence that it says of each kind of damage."""

import json
import os
import zipfile

import pytest
import refusals
from text_files import put

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import Manifest, Request, check_recorded, files, seals
from canarygan_core.runs.verification import Verification, find_manifest


def work(path, *outputs, inputs=(), task="work"):
    """Leave the manifest of work that read and left these files."""
    with Manifest.begin(path, Request(task)) as manifest:
        for number, one in enumerate(inputs):
            manifest.add_input(str(number), one)
        for one in outputs:
            manifest.add_output(one)
    return path


def verify(*paths, check_clips=lambda record, path: iter(())):
    verification = Verification(check_clips)
    for path in paths:
        verification.verify(path)
    return verification


def told(path):
    return refusals.told(verify, path)


def seal(path, content="x"):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("member", content)
    seals.seal_zip(path)
    return path


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_where_nothing_can_be_checked_that_is_an_error(tmp_path):
    assert told(tmp_path / "x") == f"There is nothing at {tmp_path / 'x'}."
    path = put(tmp_path / "a" / "b.txt")
    rest = "holds nothing that says what it was: no manifest, no seal."
    assert told(path) == f"{path} {rest}"
    assert told(path.parent) == f"{path.parent} {rest}"
    put(tmp_path / "a" / "b.json", "{}")
    assert told(tmp_path / "a" / "b.json") == f"{tmp_path / 'a' / 'b.json'} {rest}"


def test_outputs_are_compared_with_their_digests(tmp_path):
    one, two = put(tmp_path / "out" / "one.txt"), put(tmp_path / "out" / "two.txt")
    manifest = work(tmp_path / "manifest.json", one, two)
    for path in (manifest, tmp_path, one):
        assert verify(path).faults == []
        assert verify(path).checked == {manifest, one, two}
    one.write_text("other")
    two.unlink()
    faults = [f"{one} is not the file that work wrote.", f"{two} is missing."]
    for path in (manifest, tmp_path, one):
        assert verify(path).faults == faults
    assert verify(tmp_path, manifest, one).faults == faults, "each once"


def test_a_path_leads_out_of_the_folder_and_back(tmp_path):
    path = put(tmp_path / "logs" / "a.csv")
    work(tmp_path / "run" / "manifest.json", path)
    assert verify(tmp_path / "run").checked == {tmp_path / "run" / "manifest.json", path}
    path.write_text("x")
    assert verify(tmp_path / "run").faults == [f"{path} is not the file that work wrote."]


def test_what_was_read_is_compared_and_what_it_was_made_from_first(tmp_path):
    source = put(tmp_path / "a" / "source.txt")
    first = work(tmp_path / "a" / "manifest.json", source, task="first")
    made = put(tmp_path / "b" / "made.txt")
    second = work(tmp_path / "b" / "manifest.json", made, inputs=[source], task="second")
    assert verify(made).checked == {first, source, second, made}
    for path in (source, made):
        path.write_text("other")
    assert verify(made).faults == [
        f"{source} is not the file that first wrote.",
        f"{made} is not the file that second wrote.",
    ]


def test_an_input_without_a_manifest_is_compared_with_what_was_read(tmp_path):
    source, manifest = put(tmp_path / "a" / "source.txt"), tmp_path / "b" / "manifest.json"
    work(manifest, inputs=[source])
    assert (verify(manifest).faults, verify(manifest).notes) == ([], [])
    source.write_text("other")
    assert verify(manifest).faults == [f"{source} is not the file that work read for {manifest}."]
    source.unlink()
    assert verify(manifest).faults == []
    assert verify(manifest).notes == [f"{source}, from which {manifest} was made, is no longer there."]


def test_inputs_start_where_the_work_was_started(tmp_path, monkeypatch):
    source = put(tmp_path / "a" / "source.txt")
    monkeypatch.chdir(tmp_path / "a")
    with Manifest.begin(tmp_path / "b" / "manifest.json", Request("work")) as manifest:
        manifest.add_input("data", type(source)("source.txt"))
    monkeypatch.chdir(tmp_path)
    assert verify(manifest.path).checked == {manifest.path, source}


def test_a_checkpoint_that_went_on_is_among_those_of_its_run(tmp_path):
    last, kept = put(tmp_path / "run" / "last" / "last.ckpt", "two"), put(tmp_path / "run" / "all" / "1.ckpt", "one")
    run = work(tmp_path / "run" / "manifest.json", kept)
    manifest = tmp_path / "out" / "manifest.json"
    with Manifest.begin(manifest, Request("generate")) as one:
        one.add_input("checkpoint", last, files.compute_digest(kept))
    faults = verify(manifest).faults
    assert not [fault for fault in faults if "read for" in fault]
    with Manifest.begin(manifest, Request("generate")) as one:
        one.add_input("checkpoint", last, "sha256:other")
    seal(last)
    assert verify(manifest).faults[:1] == [f"{last} is not the file that generate read for {manifest}."]
    assert run in verify(manifest).checked


def test_logs_are_compared_once_the_work_ended(tmp_path):
    log, manifest = put(tmp_path / "log.csv"), work(tmp_path / "manifest.json")
    Manifest.read(manifest).add(logs={"log.csv": files.compute_digest(log)})
    assert log in verify(manifest).checked
    log.write_text("more")
    assert verify(manifest).faults == [f"{log} is not the file that work wrote."]
    Manifest.read(manifest).add(status="running")
    assert verify(manifest).faults == []


@pytest.mark.parametrize("name", ["a.npz", "a.ckpt", "a.zip"])
def test_a_sealed_file_is_compared_with_its_seal(tmp_path, name):
    path = seal(tmp_path / name)
    assert (verify(path).faults, verify(path).checked) == ([], {path})
    damage(path)
    assert verify(path).faults == [f"{path} is damaged: it has changed since it was written."]
    assert verify(tmp_path).faults == verify(path).faults
    if name != "a.zip":
        path.write_bytes(b"no archive")
        assert verify(path).faults == [f"{path} is damaged: File is not a zip file."]


def test_a_sealed_record_tells_of_the_files_beside_it(tmp_path):
    table = put(tmp_path / "table.csv")
    told = {"table.csv": files.compute_digest(table), "../up.txt": "sha256:x", "number": 3}
    record = put(tmp_path / "decoder.json", seals.dump({"schema": 1, "files": told}))
    assert (verify(record).faults, verify(record).checked) == ([], {record, table})
    table.write_text("other")
    assert verify(record).faults == [f"{table} is not the file that decoder.json tells of."]
    record.write_text(seals.dump({"files": {"table.csv": f"xxh3:{seals.compute_hash(table)}"}}))
    assert verify(record).faults == []
    record.write_text(seals.dump({"files": []}))
    assert verify(record).faults == []
    damage(record)
    assert verify(record).faults == [f"{record} has changed since it was written."]


def test_a_damaged_manifest_is_told_once(tmp_path):
    manifest = work(tmp_path / "a.manifest.json", put(tmp_path / "a.txt"))
    manifest.write_text(json.dumps({"schema": 1}))
    assert verify(tmp_path).faults == [f"{manifest} is not a manifest of this system: it has no task."]


def test_clips_are_checked_by_who_knows_them(tmp_path):
    manifest, seen = work(tmp_path / "manifest.json", put(tmp_path / "a.txt")), []

    def check(record, path):
        seen.append((record["task"], path))
        yield "data/a.wav is gone."
        yield "data/b.wav is gone."

    assert verify(manifest, manifest, check_clips=check).faults == ["data/a.wav is gone.", "data/b.wav is gone."]
    assert seen == [("work", manifest)]


def test_hidden_files_are_left_out_and_unknown_ones_counted(tmp_path):
    work(tmp_path / "manifest.json", put(tmp_path / "a.txt"))
    put(tmp_path / ".hidden" / "x.manifest.json", "{")
    put(tmp_path / "b" / ".c" / "x.json", "{")
    assert (verify(tmp_path).faults, verify(tmp_path).notes) == ([], [])
    for number in range(5):
        put(tmp_path / "b" / f"{number}.txt")
    rest = "files that no manifest tells of were not checked: "
    five = ", ".join(f"b{os.sep}{number}.txt" for number in range(5))
    assert verify(tmp_path).notes == [f"5 {rest}{five}."]
    put(tmp_path / "c.txt")
    assert verify(tmp_path).notes == [f"6 {rest}{five}, ...."]
    known = Verification(lambda record, path: iter(()), folders={tmp_path / "b"})
    known.verify(tmp_path)
    assert known.notes == [f"1 {rest}c.txt."]


def test_the_manifest_of_a_file_is_the_one_that_tells_of_it(tmp_path):
    deep = put(tmp_path / "a" / "b" / "c" / "x.npy")
    far = work(tmp_path / "a" / "manifest.json", deep)
    assert find_manifest(deep) == far
    assert find_manifest(put(tmp_path / "a" / "y.npy")) is None
    beside = work(tmp_path / "a" / "b" / "c" / "other.manifest.json", deep)
    assert find_manifest(deep) == far, "the nearest by name comes last"
    far.unlink()
    assert find_manifest(deep) == beside
    own = work(deep.with_suffix(".manifest.json"), deep)
    assert find_manifest(deep) == own
    too_deep = put(tmp_path / "a" / "b" / "c" / "d" / "x.npy")
    work(tmp_path / "a" / "manifest.json", too_deep)
    assert find_manifest(too_deep) is None


def test_a_file_in_a_folder_of_outputs_is_found_by_the_manifest_beside_the_folder(tmp_path):
    sounds = [put(tmp_path / "gen" / name / "0.wav", name) for name in ("a", "b")]
    for sound in sounds:
        work(tmp_path / "gen" / f"{sound.parent.name}.manifest.json", sound)
    clip = put(tmp_path / "clips" / "A" / "deep" / "1.wav")
    whole = work(tmp_path / "clips" / "cut.manifest.json", clip)
    assert [find_manifest(one).name for one in sounds] == ["a.manifest.json", "b.manifest.json"]
    assert find_manifest(clip) == whole
    assert find_manifest(put(tmp_path / "gen" / "a" / "1.wav")) is None
    for path in (sounds[1], sounds[1].parent):
        assert verify(path).checked == {sounds[1], tmp_path / "gen" / "b.manifest.json"}
    sounds[1].write_text("other")
    for path in (sounds[1], sounds[1].parent):
        assert verify(path).faults == [f"{sounds[1]} is not the file that work wrote."]
    assert verify(sounds[0]).faults == []


def test_the_manifest_of_a_file_that_is_reached_by_links_is_found(tmp_path):
    real = put(tmp_path / "a" / "far" / "real.npy")
    manifest = work(tmp_path / "a" / "manifest.json", real)
    for name, target in (("folder", real.parent), ("file.npy", real)):
        (tmp_path / "a" / name).symlink_to(target)
    assert find_manifest(tmp_path / "a" / "folder" / "real.npy") == manifest
    assert find_manifest(tmp_path / "a" / "file.npy") == manifest


def test_the_manifest_of_a_folder_lies_in_it_or_above(tmp_path):
    folder = tmp_path / "run" / "last"
    folder.mkdir(parents=True)
    assert find_manifest(folder) is None
    manifest = work(tmp_path / "run" / "manifest.json")
    assert find_manifest(folder) == find_manifest(tmp_path / "run") == manifest
    assert find_manifest(tmp_path) is None
    checkpoint = put(folder / "last.ckpt")
    assert find_manifest(checkpoint) == manifest, "a checkpoint that goes on is no output"


def test_a_recorded_file_is_compared_where_it_is_used(tmp_path):
    path, other = put(tmp_path / "a.csv"), put(tmp_path / "b.csv")
    work(tmp_path / "manifest.json", path, other)
    other.write_text("changed")
    check_recorded(path)
    check_recorded(put(tmp_path / "unknown.csv"))
    path.write_text("changed")
    message = f"{path} is not the file that was written, as manifest.json tells: make it again."
    with pytest.raises(CanaryganError) as raised:
        check_recorded(path)
    assert str(raised.value) == message
    (tmp_path / "manifest.json").write_text("{")
    check_recorded(path)
