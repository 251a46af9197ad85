"""Kill a command before each change that it makes to files, let the next command go on, and look at what is left.

A process imports what is heavy and then forks a child for every command, so that a kill costs what the command costs.
"""

import errno
import itertools
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from canarygan_core.cli import main

KILLED = 137
"""Exit code of a child that was killed."""

CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate")
"""Audit events of changes to files, besides `open` for writing."""

FAULTS = {
    "ENOSPC": errno.ENOSPC,
    "EDQUOT": errno.EDQUOT,
    "EIO": errno.EIO,
    "EROFS": errno.EROFS,
}
"""What a disk may answer to a change."""


@dataclass
class Hook:
    """An audit hook that counts the changes below a folder, and does something before one of them.

    Args:
        root: of the files that count.
        at: number of the change, from 1; 0 for none.
        act: what to do then.

    Attributes:
        opened: the files that were opened to be written to.
    """

    root: str
    at: int
    act: Callable[[], None]
    count: int = 0
    is_on: bool = True
    opened: set[str] = field(default_factory=set)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.is_on or not (event in CHANGES or (event == "open" and _is_writing(arguments))):
            return
        named = arguments[:1] if event == "open" else arguments[:2]
        paths = [os.fspath(one) for one in named if isinstance(one, str | os.PathLike)]
        if any(os.path.abspath(path).startswith(self.root) for path in paths if isinstance(path, str)):
            self.count += 1
            self.opened |= {os.path.abspath(path) for path in paths if event == "open"}
            if self.count == self.at:
                self.act()


def _is_writing(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, changes, seconds, what it printed, and the files that it wrote to."""

    code: int
    changes: int
    seconds: float
    text: str
    opened: tuple[str, ...] = ()


@dataclass
class Place:
    """Where commands run: a folder of their own, with a cache and a folder for temporary files."""

    root: Path
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.root.with_name(f"{self.root.name}.log")

    def run(self, words: Sequence[str], *, at: int = 0, fault: str = "", after: float = 0.0, limit: int = 0) -> Ended:
        """Run a command in a child.

        Args:
            words: of the command line.
            at: number of the change before which it is killed, or fails.
            fault: name of the error of that change; empty to be killed.
            after: seconds after which it is killed; 0 for never.
            limit: bytes that a file may have; 0 for any.
        """
        sys.stdout.flush()
        began, told = time.monotonic(), self.root.with_name(f"{self.root.name}.changes")
        told.unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            self._be_child(words, at, fault, limit, told)
        with suppress(OSError):  # it may have done so, or be over
            os.setpgid(child, child)
        code = None
        while code is None:
            done, status = os.waitpid(child, os.WNOHANG)
            code = os.waitstatus_to_exitcode(status) if done else None
            late = time.monotonic() - began
            if code is None and ((after and late > after) or late > 3000):
                os.killpg(child, signal.SIGKILL)
                _, status = os.waitpid(child, 0)
                code = os.waitstatus_to_exitcode(status)
            time.sleep(0.002)
        changes, opened = json.loads(told.read_text()) if told.is_file() else (0, [])
        text = self.log.read_text(errors="replace") if self.log.is_file() else ""
        return Ended(
            KILLED if code == -signal.SIGKILL else code, changes, time.monotonic() - began, text, tuple(opened)
        )

    def _be_child(self, words: Sequence[str], at: int, fault: str, limit: int, told: Path) -> None:
        code = 70
        try:
            os.setpgid(0, 0)  # what it starts is killed with it
            log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(log, 1)
            os.dup2(log, 2)
            sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
            self.root.mkdir(exist_ok=True)
            (self.root / "tmp").mkdir(exist_ok=True)
            os.chdir(self.root)
            os.environ["CANARYGAN_CACHE"] = str(self.root / "cache")
            tempfile.tempdir = str(self.root / "tmp")
            if limit:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

            def act() -> None:
                if not fault:
                    os.killpg(0, signal.SIGKILL)
                raise OSError(FAULTS[fault], os.strerror(FAULTS[fault]))

            hook = Hook(str(self.root), at, act)
            sys.addaudithook(hook)
            code = main.main([str(word) for word in words])
            hook.is_on = False
            told.write_text(json.dumps([hook.count, sorted(hook.opened)]))
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 1
        except BaseException:  # noqa: BLE001 told by the code and the log
            import traceback

            traceback.print_exc()
            code = 70
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(code)


def choose_changes(count: int, most: int, rng: random.Random) -> list[int]:
    """The numbers of the changes to kill before: all, or some drawn evenly where there are too many."""
    if count <= most:
        return list(range(1, count + 1))
    edges = [1 + round(number * count / most) for number in range(most + 1)]
    return [rng.randrange(low, high) for low, high in itertools.pairwise(edges)]


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder of inputs; what is there is replaced."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)
