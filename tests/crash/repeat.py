"""Repeat each task of a chain by `rerun`, and print what differs, a line of JSON each: python tests/crash/repeat.py

Each command has a process of its own, forked from one that has imported what is heavy.
"""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from run import load
from scenarios import CLASSIFIED, SAMPLE, SCENARIOS, SCORE, UMAP

from canarygan_core.cli import main
from canarygan_core.tasks import rerun

CHAIN = [*CLASSIFIED, SAMPLE, SCORE, UMAP]
"""Commands, each of which needs what those before left; the first makes the clips."""


def call(words: Sequence[Any], folder: object = None) -> str:
    """Run a command in a process of its own; gives its standard output."""
    with tempfile.TemporaryFile("w+") as stream:
        child = os.fork()
        if child == 0:
            code = 70
            try:
                os.dup2(stream.fileno(), 1)
                code = main.main([str(word) for word in words])
            finally:
                sys.stdout.flush()
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        stream.seek(0)
        text = stream.read()
    if code not in (0, 1):
        raise SystemExit(f"{' '.join(map(str, words))} ended with {code}:\n{text}")
    return text


def repeat() -> None:
    """Run the chain in the working folder, and repeat it."""
    rerun._run = call  # type: ignore[assignment]
    for words in CHAIN:
        call(words)
    for words in CHAIN[1:]:
        folder = words[words.index("-s") + 1]
        print(json.dumps({"task": words[0], "folder": folder} | json.loads(call(["rerun", folder, "--json"]))))


if __name__ == "__main__":
    load([one for one in SCENARIOS if one.name == "umap"])
    with tempfile.TemporaryDirectory(prefix="repeat-") as name:
        os.environ["CANARYGAN_CACHE"] = str(Path(name) / "cache")
        os.chdir(name)
        repeat()
