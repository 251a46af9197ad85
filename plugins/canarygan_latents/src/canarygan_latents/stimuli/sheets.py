"""The key and the scoring sheets, read as spreadsheets write them."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from canarygan_core.audio.listing import is_there
from canarygan_core.errors import CanaryganError, did_you_mean
from canarygan_core.runs import files, tables

YES = frozenset({"yes", "y", "true", "1", "real", "x", "ja", "oui"})
NO = frozenset({"no", "n", "false", "0", "generated", "synthetic", "nein", "non"})
"""What is taken for yes and for no, in any case of letters."""


KEY, SHEET = "the key.csv that morph, grid or select wrote", "a copy of scores.csv that a listener filled in"
"""What to give."""


ALIKE = 0.8
"""How like a name of the key another must be to be taken for it misspelt, 0 to 1: random names share an ending."""


@dataclass(frozen=True)
class Stimulus:
    """What the key says of a file.

    Attributes:
        file: its name.
        label: of decoders, or of the real clip; empty where there is none.
        is_real: whether it is a real clip.
    """

    file: str
    label: str
    is_real: bool


@dataclass(frozen=True)
class Answered:
    """What a listener said of one trial.

    Attributes:
        file: that was played.
        time: how many times it had been played then, this time among them, in the order of trials.
        label: empty where none was given.
        is_real: None where nothing was said.
        confidence: None where nothing was said.
    """

    file: str
    time: int
    label: str
    is_real: bool | None
    confidence: float | None


def read_key(path: Path) -> dict[str, Stimulus]:
    """By file, what each stimulus is; raises `CanaryganError` naming the row where it is no key."""
    key: dict[str, Stimulus] = {}
    for where, row in _read_rows(path, ("file", "is_real"), "key", KEY):
        if "trial" in row:
            raise CanaryganError(f"{path} has trials, as a scoring sheet has: give the key.csv of these stimuli.")
        is_real = _parse_truth(row["is_real"], where, "is_real")
        if is_real is None:
            raise CanaryganError(f"{where}: is_real is empty; a key says yes or no of each file.")
        if row["file"] in key:
            raise CanaryganError(f"{where}: {row['file']} is there twice.")
        key[row["file"]] = Stimulus(row["file"], row.get("label", ""), is_real)
    if not key:
        raise CanaryganError(f"{path} has no rows: give {KEY}.")
    return key


def read_sheet(path: Path, key: Mapping[str, Stimulus]) -> list[Answered]:
    """What a listener filled in; rows of which nothing was filled in are left out.

    Labels are spelt as in the key where they differ from one label of it alone, and from that in case alone.

    Raises:
        CanaryganError: naming the row, on a file that the key does not know, a trial that is there twice, or an answer
            that cannot be read; or where nothing was filled in.
    """
    labels, names = _group_by_case(one.label for one in key.values()), _group_by_case(key)
    rows: dict[tuple[float, str], Answered] = {}
    for number, (where, row) in enumerate(_read_rows(path, ("file",), "sheet", SHEET), 1):
        file = _find(row["file"], names) or _find(f"{row['file']}.wav", names)
        if not file:
            near = did_you_mean(row["file"], key, ALIKE)
            raise CanaryganError(f"{where}: {row['file']!r} is not in the key.{near} Give the key of these stimuli.")
        trial = _parse_number(row.get("trial", ""), where, "trial")
        place = (number if trial is None else trial, file)
        if place in rows:
            raise CanaryganError(f"{where}: trial {row['trial']} with {file} is there twice; each trial has one row.")
        label = row.get("label", "")
        is_real = _parse_truth(row.get("is_real", ""), where, "is_real")
        confidence = _parse_number(row.get("confidence", ""), where, "confidence")
        rows[place] = Answered(file, 0, _find(label, labels) or label, is_real, confidence)
    played: dict[str, int] = {}
    answers = []
    for place in sorted(rows):
        one = rows[place]
        played[one.file] = played.get(one.file, 0) + 1
        answers.append(replace(one, time=played[one.file]))
    given = [one for one in answers if one.label or one.is_real is not None]
    if not given:
        raise CanaryganError(f"{path}: no row has a label or says is_real; give a sheet that a listener filled in.")
    return given


def _group_by_case(words: Iterable[str]) -> dict[str, list[str]]:
    """Words, each once, by what they are in one case of letters."""
    groups: dict[str, list[str]] = {}
    for word in dict.fromkeys(words):
        groups.setdefault(word.casefold(), []).append(word)
    return groups


def _find(word: str, groups: Mapping[str, list[str]]) -> str:
    """The word itself where it is there, or else the only one that differs from it in case alone; or else nothing."""
    alike = groups.get(word.casefold(), [])
    return word if word in alike else alike[0] if len(alike) == 1 else ""


def find_unknown(answers: Iterable[Answered], key: Mapping[str, Stimulus]) -> dict[str, str]:
    """By label that a listener gave and the key does not have, a label of the key that may be meant; else nothing."""
    known = sorted({one.label for one in key.values() if one.label})
    given = dict.fromkeys(one.label for one in answers if one.label)
    return {label: did_you_mean(label, known) for label in given if known and label not in known}


def name_listeners(paths: Sequence[Path]) -> list[str]:
    """What listeners are called: by their sheets, with the folder before where two have one name.

    Raises:
        CanaryganError: where two sheets are one file, or have one name.
    """
    resolved = [path.resolve() for path in paths]
    if repeated := [path for path, file in zip(paths, resolved, strict=True) if resolved.count(file) > 1]:
        raise CanaryganError(f"{repeated[0]} was given twice: give each listener's sheet once.")
    stems = [path.stem for path in paths]
    homes = [path.absolute().parent.name for path in paths]
    names = [f"{home}/{stem}" if stems.count(stem) > 1 else stem for home, stem in zip(homes, stems, strict=True)]
    if len({*names}) < len(names):
        twice = max(names, key=names.count)
        raise CanaryganError(f"Two sheets are called {twice}: rename one of them after its listener.")
    return names


def _read_rows(path: Path, needed: Sequence[str], what: str, advice: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows by column in lower case, without spaces around, and where each is, as a spreadsheet counts rows.

    Columns may be separated by commas, semicolons or tabs, whichever the first row has most of.
    """
    if not is_there(path):
        raise CanaryganError(f"There is no {what} at {path}.{files.suggest_near(path) or f' Give {advice}.'}")
    text = files.read_text(path)
    lines = text.split("\n")
    skipped = next((number for number, line in enumerate(lines) if line.strip() and not _says_separator(line)), 0)
    text = "\n".join(lines[skipped:])
    head = lines[skipped]
    separator = max(",;\t", key=head.count)
    columns, rows = tables.parse_table(text, path, separator)
    names = {name: name.strip('" ').casefold().replace(" ", "_") for name in columns}
    spelt = [names[name] for name in columns if names[name]]
    if missing := [name for name in needed if name not in spelt]:
        raise CanaryganError(
            f"{path} needs the column {missing[0]}; it has {', '.join(filter(None, columns)) or 'none'}."
        )
    if twice := [name for name in spelt if spelt.count(name) > 1]:
        raise CanaryganError(f"{path} has the column {twice[0]} twice: remove one of them.")
    numbers = [skipped + 1 + number for number, line in enumerate(lines[skipped:]) if line.strip()][1:]
    for order, row in enumerate(rows):
        cells = {names[name]: cell.strip() for name, cell in row.items() if names[name]}
        if any(cells.values()):
            number = numbers[order] if order < len(numbers) else order + 2
            yield f"{path}, row {number}", cells


def _says_separator(line: str) -> bool:
    """Whether a line is the one by which Excel tells the separator."""
    return line.casefold().startswith("sep=")


def _parse_truth(text: str, where: str, column: str) -> bool | None:
    if not text:
        return None
    if text.casefold() not in YES | NO:
        raise CanaryganError(f"{where}: {column} is {text!r}; it may be yes or no, or empty.")
    return text.casefold() in YES


def _parse_number(text: str, where: str, column: str) -> float | None:
    if not text:
        return None
    try:
        number = float(text.replace(",", ".").rstrip("%"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise CanaryganError(f"{where}: {column} is {text!r}; it may be a number, or empty.")
    return number
