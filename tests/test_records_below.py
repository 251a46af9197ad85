"""What lies below a folder: manifests, the outputs that they tell of, sizes, and what killed processes left."""

from pathlib import Path

import pytest
from text_files import put

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import Manifest, Request, drafts, listing, open_run


def test_manifests_below_a_folder_are_found_in_their_order(tmp_path):
    names = ["a.manifest.json", "b/manifest.json", "b/deep/c.manifest.json"]
    found = [put(tmp_path / name) for name in names]
    for other in (".hidden/manifest.json", "b/.x.manifest.json", "b/notmanifest.json", "b/manifest.json.txt"):
        put(tmp_path / other)
    assert listing.list_manifests(tmp_path) == sorted(found)


def test_a_file_has_the_manifest_beside_it_or_above_it(tmp_path):
    run = put(tmp_path / "version_0" / "manifest.json")
    checkpoint = put(tmp_path / "version_0" / "last" / "last.ckpt")
    sounds, own = put(tmp_path / "gen" / "a.npz"), put(tmp_path / "gen" / "a.manifest.json")
    assert listing.list_manifests(run) == [run]
    assert listing.list_manifests(checkpoint) == [run]
    assert listing.list_manifests(tmp_path / "version_0" / "other.txt") == [run]
    assert listing.list_manifests(sounds) == listing.list_manifests(own) == [own]
    with Manifest.begin(tmp_path / "gen" / "c.manifest.json", Request("generate")) as manifest:
        manifest.add_output(sound := put(tmp_path / "gen" / "c" / "0.wav"))
    assert listing.list_manifests(sound) == [manifest.path]
    with pytest.raises(CanaryganError) as told:
        listing.list_manifests(put(tmp_path / "gen" / "b.npz"))
    path = tmp_path / "gen" / "b.npz"
    assert str(told.value) == f"There is no manifest of {path}. Give a file that a task left, or a folder."


def test_what_is_not_there_has_no_manifest_and_the_nearest_name_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "generated" / "a.npz")
    for path, near in (
        ("nowhere", "Give a file that a task left, or a folder."),
        ("genrated", "Did you mean generated?"),
    ):
        with pytest.raises(CanaryganError) as told:
            listing.list_manifests(Path(path))
        assert str(told.value) == f"There is no manifest of {path}. {near}"


def test_outputs_of_a_training_are_its_folders_and_of_other_work_what_its_manifest_names(tmp_path):
    with open_run(tmp_path, Request("work")) as run:
        pass
    folders = [run.checkpoints, run.previews, run.logs("csv"), run.logs("tensorboard")]
    assert listing.list_outputs(Manifest.read(run.manifest.path)) == folders
    with Manifest.begin(tmp_path / "version_x" / "a.manifest.json", Request("score")) as manifest:
        manifest.add_output(put(tmp_path / "version_x" / "out" / "a.npz"))
    assert listing.list_outputs(manifest) == [manifest.path, tmp_path / "version_x" / "out" / "a.npz"]
    bare = Manifest(tmp_path / "manifest.json", {})
    assert listing.list_outputs(bare) == [bare.path]


def test_sizes_count_everything_once(tmp_path):
    put(tmp_path / "a" / "x", "123")
    put(tmp_path / "a" / ".hidden" / "y", "12345")
    (tmp_path / "a" / "link").symlink_to(tmp_path / "a" / "x")
    link = (tmp_path / "a" / "link").lstat().st_size
    assert listing.measure_size(tmp_path / "a") == 3 + 5 + link
    assert listing.measure_size(tmp_path / "a" / "x") == 3
    assert listing.measure_size(tmp_path / "nowhere") == 0


def test_drafts_are_found_wherever_they_lie_but_not_within_one_another(tmp_path):
    names = (".a.npz.01234567.part", "sub/.b.01234567.part", ".c/.d.01234567.part")
    left = [put(tmp_path / name) for name in names]
    put(tmp_path / ".set.01234567.part" / ".inner.01234567.part")
    (tmp_path / "at work").mkdir()
    with drafts.claim(tmp_path / "at work" / "a"):
        assert sorted(listing.list_left(tmp_path)) == sorted([*left, tmp_path / ".set.01234567.part"])
