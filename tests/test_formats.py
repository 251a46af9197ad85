"""What a format says of a record that does not fit it, word by word, and how much of a record is read."""

import json
from typing import Any

import pytest
from refusals import told

from canarygan_core.runs import documents
from canarygan_core.runs.documents import Format, list_of, read_json, read_toml, read_yaml, table_of

SIZE = Format("a size", {"rate": int}, {"note": str}, bounds={"rate": (1, 9)})


def fault(kind, value):
    """What is wrong with a value that is to be of a kind."""
    return Format("a toy", {}, {"key": kind}).find_fault({"key": value})


@pytest.mark.parametrize(
    ("kind", "value", "spelled"),
    [
        (str, 1, "key is 1, and not text"),
        (int, "1", "key is '1', and not a whole number"),
        (int, 1.0, "key is 1.0, and not a whole number"),
        (int, True, "key is True, and not a whole number"),
        (float, None, "key is null, and not a number"),
        (float, False, "key is False, and not a number"),
        (bool, 1, "key is 1, and not true or false"),
        (bool, "x", "key is 'x', and not true or false"),
        (dict, [1], "key is a list, and not a table of keys"),
        (list, {"a": 1}, "key is a table of keys, and not a list"),
        (dict[str, int], 3, "key is 3, and not a table of keys"),
        (list[str], 3, "key is 3, and not a list"),
        (list[str], ["a", 2, 3], "key[1] is 2, and not text"),
        (dict[str, int], {"a": 1, "b": "x"}, "key.b is 'x', and not a whole number"),
        (dict[str, int], {3: 1}, "a key of key is 3, and not text"),
        (list[dict[str, list[int]]], [{}, {"a": [1, "x"]}], "key[1].a[1] is 'x', and not a whole number"),
        (list[dict[str, int]], [{}, {3: 1}], "a key of key[1] is 3, and not text"),
        (list_of(SIZE), [{"rate": 1}, {"note": ""}], "it has no key[1].rate"),
        (str | None, 1, "key is 1, and not text or null"),
        ((int, list[str]), "x", "key is 'x', and not a whole number or a list"),
        ((SIZE, list_of(SIZE)), 3, "key is 3, and not a size or a list"),
        (SIZE, 3, "key is 3, and no table of keys"),
        (SIZE, {}, "it has no key.rate"),
        (SIZE, {"rate": 1, "note": 2}, "key.note is 2, and not text"),
        (SIZE, {"rate": 0}, "key.rate is 0, and may be 1 to 9"),
        (SIZE, {"rate": 10}, "key.rate is 10, and may be 1 to 9"),
        (bytes, 3, "key is 3, and not <class 'bytes'>"),
        (str, b"x" * 50, "key is <class 'bytes'>, and not text"),
        (int, "x" * 38, f"key is '{'x' * 38}', and not a whole number"),
        (int, "x" * 39, "key is text, and not a whole number"),
    ],
)
def test_a_value_that_does_not_fit_is_named(kind, value, spelled):
    assert fault(kind, value) == spelled


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((Any, value) for value in (None, True, 3, [], {})),
        *((bool, value) for value in (True, False)),
        *((float, value) for value in (1, 1.5, float("nan"))),
        *((str | None, value) for value in (None, "")),
        *(((int, list[str]), value) for value in (3, [], ["a"])),
        *(((SIZE, list_of(SIZE)), value) for value in ({"rate": 1}, [{"rate": 9}], [])),
        (dict[str, int], {"a": 1}),
        *(((dict[str, int], list[str]), value) for value in ({"a": 1}, {}, ["a"])),
        (dict[str, Any], {"a": None}),
        (SIZE, {"rate": 9, "note": "", "unknown": 3}),
    ],
)
def test_a_value_that_fits(kind, value):
    assert fault(kind, value) == ""


def test_lists_and_tables_of_records():
    toy = Format("a toy", {"Xs": list_of(SIZE)}, {"by_name": table_of(SIZE)})
    assert toy.keys == {"Xs", "by_name"}
    whole = {"Xs": [{"rate": 1}], "by_name": {"a": {"rate": 2}}}
    assert toy.check(whole, "here") is whole
    assert toy.find_fault({"Xs": [{"rate": 1}, {"rate": 0}]}) == "Xs[1].rate is 0, and may be 1 to 9"
    assert toy.find_fault({"Xs": 3}) == "Xs is 3, and not a list"
    assert toy.find_fault(whole | {"by_name": {"a": {}}}) == "it has no by_name.a.rate"
    assert toy.find_fault(whole | {"by_name": {1: {}}}) == "a key of by_name is 1, and not text"
    assert told(toy.check, {}, "here") == "here is not a toy: it has no Xs."
    assert told(toy.check, None, "here") == "here is not a toy: it is null, and no table of keys."


@pytest.mark.parametrize("schema", [1, 2])
def test_a_newer_schema_is_refused_and_an_older_one_is_not(schema):
    toy = Format("a toy", {"schema": int}, schema=2)
    assert toy.check({"schema": schema}, "here")
    newer = "here was written by a newer CanaryGAN (schema 3, this reads 2): upgrade."
    assert told(toy.check, {"schema": 3, "other": None}, "here") == newer
    assert told(toy.check, {"schema": 3.5}, "here") == "here is not a toy: schema is 3.5, and not a whole number."
    assert Format("a toy", {"schema": int}).check({"schema": 3}, "here")


def test_a_file_is_read_and_named_by_what_it_should_be(tmp_path):
    path = tmp_path / "toy.json"
    toy = Format("a toy of this system", {"name": str})
    assert told(toy.read, path) == f"Cannot read {path}: No such file or directory."
    path.write_text("{")
    start = f"{path} is not a toy of this system: it is not JSON that can be read: Expecting property name"
    assert told(toy.read, path).startswith(start)
    path.write_text("[" * 60 + "]" * 60)
    assert told(toy.read, path) == f"{path} is not a toy of this system: it is not read: its JSON is nested too deeply."
    path.write_text("{}")
    assert told(toy.read, path) == f"{path} is not a toy of this system: it has no name."
    path.write_text(json.dumps({"name": "a", "seal": "x"}))
    assert toy.read(path) == {"name": "a"}


@pytest.mark.parametrize(("read", "kind"), [(read_json, "JSON"), (read_yaml, "YAML"), (read_toml, "TOML")])
def test_each_kind_has_its_bounds(tmp_path, monkeypatch, read, kind):
    path = tmp_path / "record"
    path.write_text('a = "b"' if kind == "TOML" else '{"a": "b"}')
    assert read(path) == {"a": "b"}
    size = path.stat().st_size
    monkeypatch.setitem(documents.LARGEST, kind, size - 1)
    assert told(read, path) == f"{path} is not read: it has {size} bytes, more than {size - 1}."
    monkeypatch.setitem(documents.LARGEST, kind, size)
    monkeypatch.setattr(documents, "MOST", 2)
    assert read(path) == {"a": "b"}
    monkeypatch.setattr(documents, "MOST", 1)
    assert told(read, path) == f"{path} is not read: its {kind} stands for more than 1 values."
    monkeypatch.setattr(documents, "MOST", 9)
    monkeypatch.setattr(documents, "DEEPEST", 2)
    assert read(path) == {"a": "b"}
    monkeypatch.setattr(documents, "DEEPEST", 1)
    assert told(read, path) == f"{path} is not read: its {kind} is nested too deeply."


def test_what_yaml_cannot_be_read_is_told_in_one_line(tmp_path):
    path = tmp_path / "a.yml"
    path.write_text("a: [1\nb: {}}")
    message = told(read_yaml, path)
    assert message.startswith(f"{path} is not YAML that can be read: while parsing a flow sequence")
    assert "\n" not in message
    path.write_text("a: &a {x: 1}\nb:\n  <<: *a\n")
    assert told(read_yaml, path) == f"{path} is not YAML that can be read: it merges tables, which is not read."
    path.write_text("a: 2026-13-45")
    assert told(read_yaml, path) == f"{path} is not YAML that can be read: month must be in 1..12."


def test_lists_in_lists_count_with_what_they_hold(tmp_path, monkeypatch):
    path = tmp_path / "a.yml"
    path.write_text("a: &a [1, 2]\nb: [*a, *a]\nc: !!set {x}")
    monkeypatch.setattr(documents, "MOST", 13)
    assert read_yaml(path) == {"a": [1, 2], "b": [[1, 2], [1, 2]], "c": {"x"}}
    monkeypatch.setattr(documents, "MOST", 12)
    assert "stands for more than 12 values" in told(read_yaml, path)
