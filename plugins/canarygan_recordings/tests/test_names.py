"""Labels as names of folders that every file system takes, and back."""

import pytest
from canarygan_recordings.names import find_label, name_folders

HARD = [
    "a/b",
    "a\\b",
    "what?",
    "*",
    "a:b",
    "<a>",
    "|",
    '"',
    ".hidden",
    "..",
    "end.",
    "end ",
    " start",
    "50%",
    "%41",
    "con",
]
HARD += ["NUL.txt", "tab\there", "\u00e9t\u00e9", "__MACOSX", "-", "~", "a b", "#1", "lpt1"]


@pytest.mark.parametrize("label", HARD)
def test_a_name_is_safe_and_gives_the_label_again(label):
    name = name_folders([label])[label]
    assert find_label(name) == label
    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>|\t')
    assert name == name.strip(" .")
    assert not name.startswith((".", "__"))
    assert name.lower().partition(".")[0] not in ("con", "nul", "lpt1")


def test_plain_labels_are_their_own_names():
    labels = ["a", "B", "J1", "12", "x-y_z", "two words"]
    assert name_folders(labels) == {label: label for label in labels}


def test_labels_that_differ_in_case_differ_where_case_is_folded():
    names = name_folders(["a", "A", "ab", "Ab", "aB", "c", "D"])
    assert len({name.lower() for name in names.values()}) == 7
    assert {label: find_label(name) for label, name in names.items()} == {label: label for label in names}
    assert names["c"] == "c"
    assert names["D"] == "D"


def test_all_names_of_all_hard_labels_differ():
    names = name_folders([*HARD, *map(str.upper, HARD)])
    assert len({name.lower() for name in names.values()}) == len(names)
