"""MATLAB files are looked through before scipy reads them, whom a damaged one ends without a word."""

import io
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canarygan_recordings.annotations.matfiles import check_mat
from canarygan_recordings.annotations.reading import read
from scipy.io import savemat

from canarygan_core.errors import CanaryganError

SONG = {"Fs": 32000.0, "onsets": [[10.0], [30.0]], "offsets": [[20.0], [40.0]], "labels": "ab"}
HELD: list[dict[str, Any]] = [
    SONG,
    {"a": np.zeros((0, 0)), "b": np.array([1 + 2j]), "c": np.arange(3, dtype=np.uint8), "d": np.array(True)},
    {"keys": np.array(["a.wav", "b.wav"], object), "elements": [{"x": [1, 2], "y": {"z": "text"}}] * 2},
    {"letters": "\u00fc\u4e2d", "empty": "", "rows": np.array(["ab", "cd"])},
]


def save(path: Path, held: dict[str, Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    savemat(stream, held, **options)
    path.write_bytes(stream.getvalue())
    return stream.getvalue()


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("packed", [False, True])
def test_what_scipy_writes_is_whole(held: dict[str, Any], packed: bool, tmp_path: Path) -> None:
    save(tmp_path / "a.mat", held, do_compression=packed)
    check_mat(tmp_path / "a.mat")


def test_version_4_and_what_is_none_are_left_to_scipy(tmp_path: Path) -> None:
    save(tmp_path / "a.mat", {"a": [1.0]}, format="4")
    check_mat(tmp_path / "a.mat")
    (tmp_path / "b.mat").write_bytes(b"no matrix")
    check_mat(tmp_path / "b.mat")


@pytest.mark.parametrize("kind", [0, 8, 10, 11, 19, 200, 14])
def test_numbers_of_a_type_that_there_is_not_are_refused(kind: int, tmp_path: Path) -> None:
    path = tmp_path / "bird.wav.not.mat"
    content = save(path, SONG)
    at = content.index(struct.pack("<dd", 10.0, 30.0)) - 8
    path.write_bytes(content[:at] + struct.pack("<I", kind) + content[at + 4 :])
    with pytest.raises(
        CanaryganError, match=f"bird.wav.not.mat cannot be read as notmat: there is an element of type {kind}"
    ):
        read(path)


def test_a_matrix_of_a_class_that_there_is_not_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bird.wav.not.mat"
    content = save(path, SONG)
    at = content.index(struct.pack("<II", 6, 8)) + 8
    path.write_bytes(content[:at] + bytes([200]) + content[at + 1 :])
    with pytest.raises(CanaryganError, match="it holds an object of class 200"):
        read(path)


def test_any_damage_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "bird.wav.not.mat"
    content, refused = save(path, SONG), 0
    for seed in range(400):
        draw = random.Random(seed)
        at = draw.randrange(128, len(content))
        path.write_bytes(content[:at] + draw.randbytes(draw.choice([1, 4])) + content[at + 4 :])
        try:
            read(path)
        except CanaryganError:
            refused += 1
    assert refused > 200
