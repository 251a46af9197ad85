"""What is found out about the files of a set, and the words for it: loading a set and check-data both tell it."""

from collections.abc import Mapping, Sequence

from canarygan_core.audio.problems import list_items

Groups = list[list[str]]
"""Files with the same bytes, each as `label/name`."""


def format_count(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def shorten(names: Sequence[str], separator: str, shown: int) -> str:
    """The first of some names, and dots where there are more."""
    return separator.join([*names[:shown], *(["..."] if len(names) > shown else [])])


FEW = 10
"""Clips of a class under which it is worth a word where others have three times as many; under 3 it always is."""


def describe_few(sizes: Mapping[str, int], *, has_flag: bool = True) -> str:
    """What will happen to classes of few clips, empty where there are none.

    Args:
        sizes: clips of each class.
        has_flag: whether the dataset can leave such classes out.
    """
    most = max(sizes.values(), default=0)
    few = {label: size for label, size in sizes.items() if 0 < size < 3 or (0 < size < FEW and 3 * size < most)}
    if not few:
        return ""
    least = max(few.values()) + 1
    named = shorten([f"{label} ({size})" for label, size in sorted(few.items(), key=lambda item: item[1])], ", ", 6)
    single = "a class of one clip can be neither held out nor tested; " if 1 in few.values() else ""
    flag = f"--min-per-class {least} leaves such classes out, and " if has_flag else ""
    return (
        f"few clips in {named}: hardly learnt, and their accuracies are coarse; {single}{flag}train-gan --balance "
        "shows every class equally often"
    )


def find_duplicates(digests: Mapping[str, str]) -> tuple[Groups, Groups]:
    """Groups of files with the same bytes: those that lie in more than one class, and those within one.

    Args:
        digests: of each file, `label/name`, the digest of its bytes.
    """
    groups: dict[str, list[str]] = {}
    for name, digest in digests.items():
        groups.setdefault(digest, []).append(name)
    same = [(group, len({name.partition("/")[0] for name in group})) for group in groups.values() if len(group) > 1]
    return [group for group, classes in same if classes > 1], [group for group, classes in same if classes == 1]


def describe_duplicates(across: Sequence[Sequence[str]], within: Sequence[Sequence[str]]) -> list[str]:
    """A warning, of several lines, for each kind of groups that `find_duplicates` gives and that there are."""
    warnings = []
    for groups, where in ((across, "in more than one class, so one label is wrong"), (within, "within a class")):
        if groups:
            lines = [shorten(group, " = ", 4) for group in groups]
            heading = f"{format_count(len(groups), 'sound')} found more than once {where}:"
            warnings.append("\n".join([heading, *list_items(lines, 5)]))
    return warnings
