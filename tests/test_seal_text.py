"""Seals as they lie in files, so that other versions read them, and what is said of broken ones."""

import functools
import json
import zipfile

import pytest
import refusals
import xxhash

from canarygan_core.runs import seals

told = functools.partial(refusals.told, error=zipfile.BadZipFile)


@pytest.fixture
def sealed(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("member.txt", "x" * 1000)
    seals.seal_zip(path)
    return path


def test_a_hash_is_xxh3_of_all_bytes_or_of_the_first(tmp_path, monkeypatch):
    content = bytes(range(256)) * 20
    (tmp_path / "a").write_bytes(content)
    for chunk in (1 << 20, 1000, 1):
        monkeypatch.setattr(seals, "_CHUNK", chunk)
        for end in (None, len(content), 4097, 1, 0):
            wanted = xxhash.xxh3_128_hexdigest(content[:end])
            assert seals.compute_hash(tmp_path / "a", end) == wanted, (chunk, end)
    assert seals.compute_hash(tmp_path / "a", len(content) + 5) == xxhash.xxh3_128_hexdigest(content)


def test_a_zip_file_has_its_seal_as_comment(sealed):
    content = sealed.read_bytes()
    digits = xxhash.xxh3_128_hexdigest(content[:-32]).encode()
    assert content.endswith(b"canarygan:xxh3:" + digits)
    with zipfile.ZipFile(sealed) as archive:
        assert archive.comment == b"canarygan:xxh3:" + digits
        assert archive.testzip() is None
    seals.check_zip(sealed)


def test_what_is_no_plain_zip_file_gets_no_seal(sealed, tmp_path):
    before = sealed.read_bytes()
    message = "it has a comment already, or is no zip file"
    assert told(seals.seal_zip, sealed) == message
    assert sealed.read_bytes() == before
    (tmp_path / "text").write_text("x" * 100)
    assert told(seals.seal_zip, tmp_path / "text") == message


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:40] + b"y" + content[41:], "it has changed since it was written"),
        (lambda content: content[:-1] + b"z", "it has changed since it was written"),
        (lambda content: content + b"z", "its seal is broken"),
        (lambda content: content[:-1], "its seal is broken"),
        (lambda content: content.replace(b"canarygan:", b"canarygam:"), "its seal is broken"),
        (lambda content: content.replace(b":xxh3:", b":xxh4:"), "its seal is broken"),
        (lambda content: b"", "File is not a zip file"),
        (lambda content: b"short", "File is not a zip file"),
    ],
)
def test_damage_to_a_sealed_file_is_told(sealed, damage, message):
    sealed.write_bytes(damage(sealed.read_bytes()))
    assert told(seals.check_zip, sealed) == message


def test_without_a_seal_the_members_are_compared_with_their_checksums(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("first.txt", "abc")
        archive.writestr("second.txt", "x" * 1000)
    seals.check_zip(path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"xxxx", b"xyxx", 1))
    assert told(seals.check_zip, path) == "second.txt has changed since it was written"


def test_a_record_ends_with_its_seal():
    plain = json.dumps({"b": [1], "a": {"c": None}}, indent=2)
    text = seals.dump({"b": [1], "seal": "old", "a": {"c": None}})
    digits = xxhash.xxh3_128_hexdigest(plain.encode())
    assert text == plain.removesuffix("\n}") + f',\n  "seal": "xxh3:{digits}"\n}}\n'
    assert seals.is_whole(text.encode()) is True
    assert json.loads(text) == {"b": [1], "a": {"c": None}, "seal": f"xxh3:{digits}"}


@pytest.mark.parametrize(
    ("change", "whole"),
    [
        (lambda text: text.replace("1", "2", 1), False),
        (lambda text: text.removesuffix("\n"), False),
        (lambda text: text + " ", False),
        (lambda text: text.replace('"seal"', '"sael"'), False),
        (lambda text: text.replace("xxh3", "xxh4"), False),
        (lambda text: text.replace('"seal": "xxh3:', '"other": "'), None),
        (lambda text: '{"text": "xxh3:"}' + " " * 100, None),
        (lambda text: '{"seal": 1}' + " " * 89, False),
        (lambda text: '{"seal": 1}' + " " * 100, None),
    ],
)
def test_a_record_whose_seal_was_touched_is_not_whole(change, whole):
    assert seals.is_whole(change(seals.dump({"a": 1})).encode()) is whole
