"""The logs of a training: a table in CSV, and TensorBoard. Both end at the checkpoint that it goes on from.

Nothing here imports torch or Lightning before a training starts.
"""

import csv
import io
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import Run, files, get_rank

if TYPE_CHECKING:
    from lightning.pytorch.loggers import Logger


def create_loggers(run: Run, done: int) -> "list[Logger]":
    """TensorBoard and CSV logs of a run; what was logged after the updates that are done is taken back."""
    from lightning.pytorch.loggers import Logger, TensorBoardLogger

    class Board(TensorBoardLogger):
        def log_metrics(self, metrics: Any, step: int | None = None) -> None:
            with _explain(folder):
                super().log_metrics(metrics, step)

        def save(self) -> None:
            with _explain(folder):
                self.experiment.flush()  # Lightning's own writes a file of options, which nobody reads, in place

        def finalize(self, status: str) -> None:
            try:
                with _explain(folder):
                    super().finalize(status)
            except CanaryganError:
                if status == "success":
                    raise  # else the error that ended the training has said it

    class CSVTable(Logger):
        name = version = None

        def log_hyperparams(self, *_: Any, **__: Any) -> None:
            pass

        def log_metrics(self, metrics: Any, step: int | None = None) -> None:
            if table is not None:
                table.add({"step": step, **metrics})

    folder = run.logs("tensorboard")
    table = Table(run.logs("csv") / "metrics.csv", done) if get_rank() == 0 else None
    purge = done + 1 if done else 0 if folder.is_dir() else None
    logs = run.save_dir / "logs" / "tensorboard"
    return [Board(logs, name="", version=run.folder, purge_step=purge), CSVTable()]


@contextmanager
def leave_to_main_thread() -> Iterator[None]:
    """Let a thread that writes a log fail without a word: what it met is raised where the next row is logged."""
    before = threading.excepthook

    def tell(failed: threading.ExceptHookArgs) -> None:
        if not isinstance(failed.exc_value, OSError):
            before(failed)

    threading.excepthook = tell
    try:
        yield
    finally:
        threading.excepthook = before


class Table:
    """A table in CSV that is added to, row by row; where a row brings a new column it is written anew.

    Args:
        path: the file. Of one that is there, the rows that were cut short are dropped, and those after a step.
        last: that step.
    """

    def __init__(self, path: Path, last: int) -> None:
        self.path, self.columns = path, list[str]()
        rows = read_rows(path) if path.is_file() else []
        self._write([row for row in rows if int(row["step"]) <= last])

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row, of numbers by column."""
        with _explain(self.path):
            if row.keys() - self.columns:
                self._write([*(read_rows(self.path) if self.path.is_file() else []), row])
            else:
                with open(self.path, "a", encoding="utf-8", newline="") as stream:
                    csv.DictWriter(stream, self.columns, lineterminator="\n").writerow(row)

    def _write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the table anew, or remove it where it has no rows."""
        self.columns = sorted({column for row in rows for column in row})
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        if rows:
            files.write_text(self.path, text.getvalue())
        else:
            files.remove(self.path)


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a log that are whole: each ends its line, and has a step and as many fields as there are columns."""
    with open(path, encoding="utf-8", errors="replace", newline="") as stream:
        lines = [line for line in stream if line.endswith("\n")]
    rows = list(csv.DictReader(lines))
    return [row for row in rows if (row.get("step") or "").isdigit() and None not in row and None not in row.values()]


@contextmanager
def _explain(path: Path) -> Iterator[None]:
    """Turn a failure to write a log into an error that says so."""
    try:
        yield
    except (OSError, ValueError) as error:
        met = error.__cause__ if isinstance(error, ValueError) else error  # Lightning blames the value for any error
        if not isinstance(met, OSError):
            raise
        reason = os.strerror(met.errno) if met.errno else str(met)
        raise CanaryganError(f"Cannot write the log {path}: {reason}. Mend that, and go on with --resume.") from error
