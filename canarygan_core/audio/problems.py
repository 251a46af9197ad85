"""What is wrong with sound files that cannot be used, and how it is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from canarygan_core.errors import CanaryganError


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be used.

    Attributes:
        path: the file, as the caller named it.
        kind: one of `missing`, `unreadable`, `zero-byte`, `not-audio`, `damaged`, `truncated`, `empty`, `not-finite`,
            `silent`, `too-short`, `too-long`.
        what: the reason, to be read after the path.
        advice: what would mend it.
    """

    path: str
    kind: str
    what: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


class UnusableAudio(CanaryganError):
    """Files that cannot be used. The message names each with its reason, up to a screenful.

    Attributes:
        problems: all of them.
    """

    def __init__(self, problems: Sequence[Problem], heading: str = "", advice: str = "") -> None:
        self.problems = tuple(problems)
        if not heading and len(problems) == 1:
            super().__init__(f"{problems[0]}. {problems[0].advice}".strip())
            return
        heading = heading or f"{len(problems)} files cannot be used:"
        super().__init__("\n".join([heading, *list_items(problems), *([advice] if advice else [])]))


def list_items(items: Sequence[object], shown: int = 20) -> list[str]:
    """One indented line for each of the first items, and a count of the rest."""
    lines = [f"  {item}" for item in items[:shown]]
    return lines + ([f"  ... and {len(items) - shown} more"] if len(items) > shown else [])
