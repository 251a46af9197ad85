"""Labels as names of folders, from which the labels can be told again."""

from collections import Counter
from collections.abc import Iterable
from urllib.parse import quote, unquote

SAFE = " !#$&'()+,;=@[]^`{}~"
"""Signs beside letters, digits and _.-~ that every file system takes."""

RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))})
"""Names that Windows gives to devices."""


def name_folders(labels: Iterable[str]) -> dict[str, str]:
    """A name for the folder of each label, by label; `find_label` gives the label again.

    Most labels are their own names. What a file system may refuse, hide or change is written as `%` and two hexadecimal
    digits for each byte, as in addresses of the web. Labels that differ only in case get names that differ in more.
    """
    listed = sorted(set(labels))
    folded = Counter(label.lower() for label in listed)
    return {label: _quote(label, differ=folded[label.lower()] > 1) for label in listed}


def find_label(folder: str) -> str:
    """The label whose folder has this name."""
    return unquote(folder, errors="surrogateescape")


def _quote(label: str, *, differ: bool) -> str:
    name = quote(label, safe=SAFE, errors="surrogateescape")
    if differ:
        name = "".join(f"%{ord(sign):02X}" if len(sign) == 1 and sign.isupper() else sign for sign in _split(name))
    if name.lower().partition(".")[0] in RESERVED or name.startswith((".", " ", "__MACOSX")):
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if name.endswith((".", " ")):
        name = f"{name[:-1]}%{ord(name[-1]):02X}"
    return name


def _split(name: str) -> list[str]:
    """The signs of a name, those written by % as one."""
    signs, at = [], 0
    while at < len(name):
        width = 3 if name[at] == "%" else 1
        signs.append(name[at : at + width])
        at += width
    return signs
