"""Records are read within bounds, and have what their format declares."""

import json
import os

import pytest

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import documents
from canarygan_core.runs.documents import Format, list_of, read_json, read_toml, read_yaml

INNER = Format("a size", {"rate": int})
FORMAT = Format(
    "a toy record",
    {"schema": int, "name": str, "size": INNER},
    {
        "either": (INNER, list_of(INNER)),
        "share": float,
        "names": list[str],
        "counts": dict[str, int],
        "error": str | None,
        "parts": list_of(INNER),
    },
    schema=2,
)
WHOLE = {"schema": 1, "name": "a", "size": {"rate": 8}}

ANCHORS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
"""A page of 9^9 words."""


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"share": 1, "names": [], "counts": {"a": 1}, "error": None, "parts": [{"rate": 1}]},
        {"error": "x", "unknown": {}},
    ],
)
def test_a_record_that_fits(more):
    assert FORMAT.check(WHOLE | more, "here") == WHOLE | more


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ([], "here is not a toy record: it is a list, and no table of keys"),
        ({}, "it has no schema"),
        (WHOLE | {"name": 3}, "name is 3, and not text"),
        (WHOLE | {"schema": True}, "schema is True, and not a whole number"),
        (WHOLE | {"schema": 3}, "here was written by a newer CanaryGAN (schema 3, this reads 2): upgrade."),
        (WHOLE | {"size": 1}, "size is 1, and no table of keys"),
        (WHOLE | {"size": {}}, "it has no size.rate"),
        (WHOLE | {"size": {"rate": 1.5}}, "size.rate is 1.5, and not a whole number"),
        (WHOLE | {"share": "x"}, "share is 'x', and not a number"),
        (WHOLE | {"names": ["a", 1]}, "names[1] is 1, and not text"),
        (WHOLE | {"counts": {"a": None}}, "counts.a is null, and not a whole number"),
        (WHOLE | {"error": []}, "error is a list, and not text or null"),
        (WHOLE | {"either": 3}, "either is 3, and not a size or a list"),
        (WHOLE | {"parts": [{"rate": 1}, {}]}, ": it has no parts[1].rate."),
        (WHOLE | {"parts": [{"rate": 1}, 3]}, ": parts[1] is 3, and no table of keys."),
        (WHOLE | {"parts": [{"rate": "x"}]}, ": parts[0].rate is 'x', and not a whole number."),
    ],
)
def test_what_does_not_fit_is_named(record, fault):
    with pytest.raises(CanaryganError) as told:
        FORMAT.check(record, "here")
    assert fault in str(told.value)


@pytest.mark.parametrize(
    ("read", "deep"),
    [
        (read_json, "[" * 100_000),
        (read_json, "[" * 60 + "]" * 60),
        (read_yaml, "[" * 3000),
        (read_yaml, "[" * 60 + "]" * 60),
        (read_toml, "a = " + "[" * 100_000),
        (read_toml, "a = " + "[" * 60 + "]" * 60),
    ],
)
def test_what_is_nested_deeply_is_refused(read, deep, tmp_path):
    (tmp_path / "deep").write_text(deep)
    with pytest.raises(CanaryganError, match=r"deep is not (read: its .* is nested too deeply|.* that can be read)"):
        read(tmp_path / "deep")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ANCHORS, "stands for more than 4,194,304 values"),
        ("a: &a [*a]", "nested too deeply"),
        ("a: &a {x: 1}\nb: {<<: *a}", "merges tables"),
    ],
)
def test_yaml_that_stands_for_more_than_it_is_is_refused(text, told, tmp_path):
    (tmp_path / "a.yml").write_text(text)
    with pytest.raises(CanaryganError, match=told):
        read_yaml(tmp_path / "a.yml")


def test_yaml_that_names_a_part_twice_is_read(tmp_path):
    (tmp_path / "a.yml").write_text("a: &a [1, 2]\nb: *a\n")
    assert read_yaml(tmp_path / "a.yml") == {"a": [1, 2], "b": [1, 2]}


def test_what_is_too_large_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "large.json"
    with open(path, "wb") as stream:
        os.truncate(stream.fileno(), (1 << 26) + 1)
    with pytest.raises(CanaryganError, match=r"large.json is not read: it has 67,108,865 bytes"):
        read_json(path)


@pytest.mark.parametrize("read", [read_json, read_yaml, read_toml, FORMAT.read])
@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x00", b"{", b"!!python/object/apply:os.system [ls]", b"- [}"])
def test_what_is_no_record_is_named(read, content, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(CanaryganError, match="file is not") as told:
        read(path)
    assert len(str(told.value)) > len(f"{path} is not .")


def test_a_seal_is_no_part_of_what_a_record_says(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(WHOLE | {"seal": "xxh3:0"}))
    assert FORMAT.read(tmp_path / "a.json") == WHOLE
    assert documents.read_json(tmp_path / "a.json")["seal"] == "xxh3:0"


@pytest.mark.parametrize("rate", [0, -1, 1 << 62])
def test_a_number_out_of_its_bounds_is_named(rate):
    bounded = Format("a record", {"rate": int}, bounds={"rate": (1, 1000)})
    assert bounded.check({"rate": 1000}, "here") == {"rate": 1000}
    with pytest.raises(CanaryganError, match=f"here is not a record: rate is {rate}, and may be 1 to 1000"):
        bounded.check({"rate": rate}, "here")
