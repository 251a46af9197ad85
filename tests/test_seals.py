"""Seals: any flipped byte shows, in a zip file and in a JSON record, and nothing else has to know of them."""

import json
import zipfile

import numpy as np
import pytest

from canarygan_core.audio import archives
from canarygan_core.errors import CanaryganError
from canarygan_core.runs import Manifest, Request, seals


def flip(content, at, bits=1):
    return content[:at] + bytes([content[at] ^ bits]) + content[at + 1 :]


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "a.npz"
    with archives.writing(path, 100) as writer:
        writer.add("z", np.arange(6.0).reshape(3, 2))
    return path


def test_every_byte_of_an_archive_is_under_its_seal(archive):
    content = archive.read_bytes()
    for at in range(len(content)):
        for bits in (1, 0x80):
            archive.write_bytes(flip(content, at, bits))
            with pytest.raises(zipfile.BadZipFile):
                seals.check_zip(archive)
            with pytest.raises(CanaryganError, match="Cannot read the archive"):
                archives.read(archive)


def test_a_sealed_archive_is_an_archive_to_numpy(archive):
    with np.load(archive) as loaded:
        np.testing.assert_array_equal(loaded["z"], np.arange(6.0).reshape(3, 2))
    np.testing.assert_array_equal(archives.read(archive)["z"], np.arange(6.0).reshape(3, 2))


def test_an_archive_without_a_seal_is_compared_with_its_checksums(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, z=np.arange(600.0))
    seals.check_zip(path)
    path.write_bytes(flip(path.read_bytes(), 2000))
    with pytest.raises(zipfile.BadZipFile, match=r"z.npy|CRC"):
        seals.check_zip(path)
    with pytest.raises(CanaryganError, match="Cannot read the archive"):
        archives.read(path)


def test_what_is_no_plain_zip_file_gets_no_seal(archive):
    with pytest.raises(zipfile.BadZipFile, match="comment already"):
        seals.seal_zip(archive)


def test_every_byte_of_a_record_is_under_its_seal(tmp_path):
    manifest = Manifest.begin(tmp_path / "manifest.json", Request("score"), seed=3)
    content = manifest.path.read_bytes()
    assert seals.is_whole(content)
    assert json.loads(content)["seed"] == 3
    for at in range(len(content)):
        assert seals.is_whole(flip(content, at)) is False, at
    assert not any(seals.is_whole(content[:length]) for length in range(len(content)))


@pytest.mark.parametrize(
    "record", [{}, {"a": {"b": [1, 2.5, None, float("nan")]}, "\u00fc\udcff": "x"}, {"seal": "old"}]
)
def test_a_record_is_read_as_it_was(record):
    text = seals.dump({"schema": 1, **record})
    assert seals.is_whole(text.encode())
    read = json.loads(text)
    assert read.pop("seal").startswith("xxh3:")
    assert repr(read) == repr({"schema": 1, **record} if "seal" not in record else {"schema": 1})


def test_a_record_of_another_hand_has_no_seal():
    assert seals.is_whole(b'{"schema": 1}') is None
    assert seals.is_whole(b"") is None
