"""Archives: streamed out, mapped in, and numpy's own."""

import io
import shutil
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from canarygan_core.audio import archives
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted import latents

ARRAYS = {
    "x": np.arange(60, dtype=np.float32).reshape(12, 5),
    "z": np.linspace(-1, 1, 36).reshape(12, 3).astype(np.float32),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big_endian": np.arange(3, dtype=">i4"),
    "labels": np.array(["a", "bcd", "\u00e9"]),
    "flags": np.array([True, False]),
    "none": np.zeros((0, 4), np.float32),
    "rate": np.asarray(16000),
    "version": np.asarray("1.2"),
}


def write(path, arrays=ARRAYS):
    with archives.writing(path, size=0) as archive:
        for name, array in arrays.items():
            archive.add(name, array)


def same(found, wanted=ARRAYS):
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype, name
        assert np.array_equal(found[name], array), name
        assert found[name].shape == array.shape, name


def test_what_is_written_is_read_by_us_and_by_numpy(tmp_path):
    write(tmp_path / "a.npz")
    same(archives.read(tmp_path / "a.npz"))
    with np.load(tmp_path / "a.npz", allow_pickle=False) as loaded:
        same(dict(loaded))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes_is_read(tmp_path, save):
    save(tmp_path / "a.npz", **ARRAYS)
    same(archives.read(tmp_path / "a.npz"))


def test_stored_arrays_are_mapped_and_cannot_be_changed(tmp_path):
    write(tmp_path / "a.npz")
    for save in (write, lambda path: np.savez(path, **ARRAYS)):
        save(tmp_path / "a.npz")
        x = archives.read(tmp_path / "a.npz")["x"]
        assert isinstance(x, np.memmap)
        assert not x.flags.writeable
    np.savez_compressed(tmp_path / "b.npz", **ARRAYS)
    assert not isinstance(archives.read(tmp_path / "b.npz")["x"], np.memmap)


def test_a_stream_of_parts_equals_the_whole(tmp_path):
    x = ARRAYS["x"]
    for name, parts in {"whole": [x], "parts": [x[:5], x[5:6], x[6:]], "strided": [x[::1], x[:0]]}.items():
        with archives.writing(tmp_path / name, size=0) as archive:
            archive.stream("x", x.shape, x.dtype, iter(parts))
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "parts").read_bytes() == (tmp_path / "strided").read_bytes()
    same(archives.read(tmp_path / "parts"), {"x": x})


def test_equal_content_gives_equal_bytes(tmp_path):
    write(tmp_path / "a.npz")
    write(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("count", [11, 13])
def test_a_stream_of_another_length_than_announced_leaves_nothing(tmp_path, count):
    with pytest.raises(ValueError, match="was announced as"), archives.writing(tmp_path / "a.npz", size=0) as archive:
        archive.stream("x", (12, 5), np.dtype(np.float32), [np.zeros((count, 5), np.float32)])
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_nothing_or_what_was_there(tmp_path):
    def parts():
        yield ARRAYS["x"][:5]
        raise RuntimeError("out of memory")

    def fail():
        with archives.writing(tmp_path / "a.npz", size=0) as archive:
            archive.add("z", ARRAYS["z"])
            archive.stream("x", (12, 5), np.dtype(np.float32), parts())

    with pytest.raises(RuntimeError, match="out of memory"):
        fail()
    assert list(tmp_path.iterdir()) == []
    write(tmp_path / "a.npz")
    with pytest.raises(RuntimeError, match="out of memory"):
        fail()
    same(archives.read(tmp_path / "a.npz"))
    assert len(list(tmp_path.iterdir())) == 1


def test_objects_are_neither_written_nor_read(tmp_path):
    objects = np.array([{"a": 1}, None], dtype=object)
    with pytest.raises(ValueError, match="Python objects"):
        write(tmp_path / "a.npz", {"o": objects})
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "b.npz", o=objects)
        with pytest.raises(CanaryganError, match=r"Cannot read the archive .*o\.npy holds Python objects"):
            archives.read(tmp_path / "b.npz")


def test_a_full_disk_is_told_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_500_000_000))
    told = r"a\.npz needs 2\.0 GB and .* has 1\.5 GB free"
    with pytest.raises(CanaryganError, match=told), archives.writing(tmp_path / "a.npz", size=2_000_000_000):
        pytest.fail("began to write")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CanaryganError, match="Cannot write"):
        write(tmp_path / "file" / "a.npz")


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_a_truncated_archive_is_refused(tmp_path, keep):
    write(tmp_path / "a.npz")
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content[: int(keep * len(content))])
    with pytest.raises(CanaryganError, match="Cannot read the archive"):
        archives.read(tmp_path / "a.npz")


def member(path, content, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("x.npy", content)
        archive.writestr("zzz.npy", b"0" * 10_000)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_array_that_says_it_is_longer_than_it_is_is_refused(tmp_path, compression):
    np.save(tmp_path / "x.npy", np.zeros(100, np.float32))
    member(tmp_path / "a.npz", (tmp_path / "x.npy").read_bytes()[:-4], compression)
    with pytest.raises(CanaryganError, match="Cannot read the archive"):
        archives.read(tmp_path / "a.npz")


def test_what_is_no_archive_is_refused(tmp_path):
    with pytest.raises(CanaryganError, match="There is no archive at"):
        archives.read(tmp_path / "nowhere.npz")
    (tmp_path / "text.npz").write_text("hello")
    member(tmp_path / "zip.npz", b"not an array")
    for path in (tmp_path, tmp_path / "text.npz", tmp_path / "zip.npz"):
        with pytest.raises(CanaryganError, match="Cannot read the archive"):
            archives.read(path)


def test_a_damaged_compressed_array_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.random.default_rng(0).standard_normal(1000))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[300:400] = bytes(100)
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(CanaryganError, match="Cannot read the archive"):
        archives.read(tmp_path / "a.npz")


def test_a_compressed_archive_holds_the_same_and_is_read_by_numpy(tmp_path):
    x = np.random.default_rng(0).uniform(-1, 1, (40, 300)).astype(np.float32)
    x[:, 100:] = 0
    for compressed in (False, True):
        with archives.writing(tmp_path / f"{compressed}.npz", x.nbytes, compressed=compressed) as archive:
            archive.stream("x", x.shape, x.dtype, [x[:25], x[25:]])
            archive.add("rate", 8000)
    stored, packed = tmp_path / "False.npz", tmp_path / "True.npz"
    assert packed.stat().st_size < 0.5 * stored.stat().st_size
    assert {info.compress_type for info in zipfile.ZipFile(packed).infolist()} == {zipfile.ZIP_DEFLATED}
    with np.load(packed) as loaded:
        np.testing.assert_array_equal(loaded["x"], x)
    sounds, rate = archives.read_sounds(packed)
    np.testing.assert_array_equal(sounds, x)
    assert rate == 8000


def resize(path, name, shape, dtype="<f4"):
    """Write an archive whose member says another shape than it has."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.npy", stream.getvalue() + bytes(64))


@pytest.mark.parametrize("shape", [(1 << 40,), (1 << 62, 1 << 62), (-4, -4), (17,), (15,)])
def test_sizes_that_a_member_does_not_have_are_refused_before_memory_is_taken(shape, tmp_path):
    resize(tmp_path / "a.npz", "x", shape)
    with pytest.raises(CanaryganError, match=r"Cannot read the archive .*(cut short|no plain values)"):
        archives.read(tmp_path / "a.npz")


def test_values_of_no_size_are_refused(tmp_path):
    resize(tmp_path / "a.npz", "x", (1 << 60,), "<U0")
    with pytest.raises(CanaryganError, match="no plain values"):
        archives.read(tmp_path / "a.npz")


def test_an_archive_that_unfolds_to_gigabytes_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("z.npy", "w") as member:
        header = {"descr": "<f4", "fortran_order": False, "shape": (archives.LEAST // 4, 1)}
        np.lib.format.write_array_header_1_0(member, header)
        for _ in range(archives.LEAST >> 24):
            member.write(bytes(1 << 24))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("a member was read"))
    for read in (archives.read, archives.read_sounds, lambda path: latents.read(path, 1)):
        with pytest.raises(CanaryganError, match=r"would unfold from [\d,]+ to 268,\d+,\d+ bytes, which is not read"):
            read(path)


@pytest.mark.parametrize("rate", [0, 1, -16000, 1 << 62, 16000.0, np.array([16000]), "16000"])
def test_a_rate_that_no_sound_has_is_refused(rate, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((2, 8), np.float32), rate=rate)
    with pytest.raises(CanaryganError, match=r"says that its sampling rate is .* it may be 1000 to 768000 Hz"):
        archives.read_sounds(tmp_path / "a.npz")


def test_text_with_letters_that_there_are_not_is_refused(tmp_path):
    letters = np.array([0x110000, 65], "<u4").view("<U2")
    np.savez(tmp_path / "a.npz", labels=letters)
    with pytest.raises(CanaryganError, match=r"labels.npy holds what is no text"):
        archives.read(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"z": None}, None),
        ({"x": None}, "it has no x, but labels_a, rate, z"),
        (
            {"x": np.zeros(3, np.float32)},
            r"its x is float32 \(3,\), and not numbers with decimals of shape \(rows, 5\)",
        ),
        ({"z": np.zeros((4, 2))}, r"its z is float64 \(4, 2\), and not .* of shape \(3 rows, axes\)"),
        ({"labels_a": np.zeros(3)}, "its labels_a is float64 .* and not text"),
        ({"labels_b": np.array(["a", "b"])}, r"its labels_b is <U1 \(2,\)"),
        ({"rate": "x"}, "its rate is <U1"),
    ],
)
def test_what_a_layout_does_not_tell_is_named(changes, fault, tmp_path):
    layout = {"x": "f rows 5", "z?": "fiu rows axes", "labels_*": "U rows", "rate": "iu"}
    x = np.zeros((3, 5), np.float32)
    content = {"x": x, "z": np.zeros((3, 2)), "rate": 8, "labels_a": np.array(["a"] * 3)} | changes
    np.savez(tmp_path / "a.npz", **{name: array for name, array in content.items() if array is not None})
    if fault is None:
        assert set(archives.read(tmp_path / "a.npz", layout)) == {"x", "rate", "labels_a"}
        return
    with pytest.raises(CanaryganError, match=f"Cannot read the archive .*: {fault}"):
        archives.read(tmp_path / "a.npz", layout)
