"""What is wrong with sound files that cannot be used, and how it is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from canarygan_core.console import show_on_one_line
from canarygan_core.errors import CanaryganError


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be used.

    Attributes:
        path: the file, as the caller named it.
        kind: one of `missing`, `unreadable`, `zero-byte`, `not-audio`, `damaged`, `truncated`, `empty`, `not-finite`,
            `silent`, `too-short`, `too-long`, `too-few-channels`.
        what: the reason, to be read after the path.
        advice: what would mend it.
    """

    path: str
    kind: str
    what: str
    advice: str

    def __str__(self) -> str:
        return f"{show_on_one_line(self.path)}: {self.what}"


class Refusal(Exception):
    """A problem of a file whose path is not known yet: kind, what, advice."""


def require(condition: object, kind: str, what: str, advice: str) -> None:
    """Raise `Refusal` unless a condition holds."""
    if not condition:
        raise Refusal(kind, what, advice)


class UnusableAudio(CanaryganError):
    """Files that cannot be used. The message names each with its reason, up to a screenful.

    Attributes:
        problems: all of them.
    """

    def __init__(self, problems: Sequence[Problem], heading: str = "", advice: str = "") -> None:
        self.problems = tuple(problems)
        message = f"{problems[0]}. {problems[0].advice}".strip()
        if heading or len(problems) > 1:
            heading = heading or f"{len(problems)} files cannot be used:"
            message = "\n".join([heading, *list_items(problems), *filter(None, [advice])])
        super().__init__(message)


def list_items(items: Sequence[object], shown: int = 20, *, noun: str = "", indent: str = "  ") -> list[str]:
    """One line for each of the first items, and a count of the rest."""
    rest = [f"... and {len(items) - shown} more {noun}".rstrip()] if len(items) > shown else []
    return [f"{indent}{show_on_one_line(str(item))}" for item in (*items[:shown], *rest)]
