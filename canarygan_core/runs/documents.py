"""Records on disk: JSON, YAML and TOML read within bounds, and checked against what their format declares.

A format is declared once, beside what writes it. What reads it gets a record that has all of its keys, of their types.
"""

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import GenericAlias, NoneType, UnionType
from typing import Any, get_args, get_origin

from canarygan_core.errors import CanaryganError
from canarygan_core.runs.files import read_text

LARGEST = {"JSON": 1 << 26, "YAML": 1 << 21, "TOML": 1 << 21}
"""Bytes of a record that is read at all; YAML takes seconds a megabyte."""

MOST = 1 << 22
"""Values of a record that is read at all."""

DEEPEST = 50
"""Levels of a record that is read at all."""


@dataclass(frozen=True)
class Format:
    """The keys of a record.

    Attributes:
        what: what a record is, such as `a manifest of this system`.
        required: by key, the type of its value: a class, `list[...]`, `dict[str, ...]`, a format, or a union or
            tuple of some.
        optional: likewise of those that may be missing.
        bounds: by key, the least and the greatest that a number may be.
        schema: the newest version of the keys that this version reads, where the record has one.
    """

    what: str
    required: Mapping[str, Any]
    optional: Mapping[str, Any] = field(default_factory=dict)
    schema: int | None = None
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def keys(self) -> set[str]:
        """All keys."""
        return {*self.required, *self.optional}

    def read(self, path: Path) -> dict[str, Any]:
        """A JSON record from its file, checked; without its seal, which is no part of what it says.

        Raises:
            CanaryganError: where it is missing, is no such record, or was written by a newer version.
        """
        try:
            record = self.check(read_json(path), path)
        except CanaryganError as error:
            if not str(error).startswith(known := f"{path} is not ") or self.what in str(error):
                raise
            raise CanaryganError(f"{path} is not {self.what}: it is not {str(error).removeprefix(known)}") from None
        record.pop("seal", None)
        return record

    def check(self, record: Any, source: object) -> dict[str, Any]:
        """The record itself, where it is one; `CanaryganError` names the source and the key that is wrong."""
        schema = record.get("schema") if isinstance(record, Mapping) else None
        if self.schema is not None and type(schema) is int and schema > self.schema:
            newer = f"schema {schema}, this reads {self.schema}"
            raise CanaryganError(f"{source} was written by a newer CanaryGAN ({newer}): upgrade.")
        if fault := self.find_fault(record):
            raise CanaryganError(f"{source} is not {self.what}: {fault}.")
        checked: dict[str, Any] = record
        return checked

    def find_fault(self, record: Any, place: str = "") -> str:
        """What is wrong with a record; empty where nothing is. An item of a list is named by its index: `parts[0]`."""
        if not isinstance(record, Mapping):
            return f"{place or 'it'} is {_name(record)}, and no table of keys"
        if missing := [key for key in self.required if key not in record]:
            return f"it has no {place and f'{place}.'}{missing[0]}"
        for key, kind in {**self.required, **self.optional}.items():
            if key in record and (fault := _find_fault(record[key], kind, f"{place}.{key}".lstrip("."))):
                return fault
        for key, (low, high) in self.bounds.items():
            if key in record and not low <= record[key] <= high:
                return f"{place and f'{place}.'}{key} is {record[key]}, and may be {low} to {high}"
        return ""


def list_of(kind: Format) -> Any:
    """The type of a list of records."""
    return GenericAlias(list, (kind,))


def table_of(kind: Format) -> Any:
    """The type of a table of records by name."""
    return GenericAlias(dict, (str, kind))


def read_json(path: Path) -> Any:
    """What a JSON file holds; `CanaryganError` where it is none, or larger or deeper than any of this system."""
    return _parse(path, "JSON", json.loads)


def read_yaml(path: Path) -> Any:
    """What a YAML file holds, read without running code; `CanaryganError` as by `read_json`.

    An anchor stands for a part of the file as often as it is named: a page of them stands for more than any memory.
    Each is counted as often as it stands for something.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        def flatten_mapping(self, node: Any) -> None:
            if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
                raise ValueError("it merges tables, which is not read")

    def load(text: str) -> Any:
        try:
            return yaml.load(text, Loader)
        except yaml.YAMLError as error:
            raise ValueError(" ".join(str(error).split())) from None

    return _parse(path, "YAML", load)


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds; `CanaryganError` as by `read_json`."""
    content: dict[str, Any] = _parse(path, "TOML", tomllib.loads)
    return content


def _parse(path: Path, kind: str, parse: Callable[[str], Any]) -> Any:
    text = read_text(path, LARGEST[kind])
    try:
        content = parse(text)
        if _count(content, DEEPEST, {}) > MOST:
            raise CanaryganError(f"{path} is not read: its {kind} stands for more than {MOST:,} values.")
    except RecursionError:
        raise CanaryganError(f"{path} is not read: its {kind} is nested too deeply.") from None
    except (ValueError, TypeError, OverflowError, AttributeError, IndexError) as error:
        raise CanaryganError(f"{path} is not {kind} that can be read: {error or type(error).__name__}.") from None
    return content


def _count(value: Any, left: int, known: dict[int, int]) -> int:
    """The values that a value stands for, counted each time that it is named; known by their identity.

    Raises:
        RecursionError: where they are nested more than `left` levels deep.
    """
    if left == 0:
        raise RecursionError
    if not isinstance(value, Mapping | list | tuple | set):
        return 1
    if id(value) not in known:
        inside = value.values() if isinstance(value, Mapping) else value
        known[id(value)] = 1 + sum(_count(one, left - 1, known) for one in inside)
    return known[id(value)]


def _find_fault(value: Any, kind: Any, place: str) -> str:
    """What is wrong with a value that is to be of a kind; empty where nothing is."""
    if isinstance(kind, Format):
        return kind.find_fault(value, place)
    origin, inside = get_origin(kind), get_args(kind)
    if isinstance(kind, tuple | UnionType):
        found = [_find_fault(value, one, place) for one in (kind if isinstance(kind, tuple) else inside)]
        return "" if "" in found else f"{place} is {_name(value)}, and not {_spell(kind)}"
    if not _is_a(value, origin or kind):
        return f"{place} is {_name(value)}, and not {_spell(kind)}"
    if origin is list:
        faults = (_find_fault(one, inside[0], f"{place}[{number}]") for number, one in enumerate(value))
        return next(filter(None, faults), "")
    if origin is dict:
        keys = (_find_fault(key, inside[0], f"a key of {place}") for key in value)
        values = (_find_fault(one, inside[1], f"{place}.{key}") for key, one in value.items())
        return next(filter(None, (*keys, *values)), "")
    return ""


def _is_a(value: Any, kind: Any) -> bool:
    """Whether a value is of a class; true and false are no numbers, and a whole number does for another."""
    if kind is Any:
        return True
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float) if kind is float else isinstance(value, kind)


def _spell(kind: Any) -> str:
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false", dict: "a table of keys"}
    names |= {list: "a list", NoneType: "null"}
    if isinstance(kind, tuple | UnionType):
        return " or ".join(map(_spell, kind if isinstance(kind, tuple) else get_args(kind)))
    return kind.what if isinstance(kind, Format) else names.get(get_origin(kind) or kind, str(kind))


def _name(value: Any) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 40 and not isinstance(value, Mapping | list) else _spell(type(value))
