"""Which checkpoints of a classifier are kept: the best, by its loss on the validation clips."""

import json
from collections.abc import Callable
from pathlib import Path

from canarygan_core.runs import Run, files

RECORD = "losses.json"


class Best:
    """Keeps the checkpoints of least validation loss, and the best of them once more where it is easily found.

    `all/losses.json` holds the loss of each, so that a training that goes on keeps counting.

    Args:
        run: whose checkpoints.
        count: how many to keep.
        loss: gives the validation loss of the checkpoint that was just saved, nats.
    """

    def __init__(self, run: Run, count: int, loss: Callable[[], float]) -> None:
        self.run, self.count, self.loss = run, count, loss
        self.path = run.checkpoints / "all" / RECORD

    def saved(self, checkpoint: Path | None) -> None:
        """Take note of a checkpoint, and let go of what is no longer among the best."""
        if checkpoint is None:
            return
        losses: dict[str, float] = json.loads(self.path.read_text(encoding="utf-8")) if self.path.is_file() else {}
        losses[checkpoint.name] = self.loss()
        ranked = sorted(losses, key=lambda name: losses[name])
        for name in ranked[self.count :]:
            (checkpoint.parent / name).unlink(missing_ok=True)
            self.run.manifest.remove_output(checkpoint.parent / name)
        files.write_text(self.path, json.dumps({name: losses[name] for name in ranked[: self.count]}, indent=2) + "\n")
        if ranked[0] == checkpoint.name:
            best = self.run.checkpoints / "best" / "best.ckpt"
            files.copy(checkpoint, best)
            self.run.manifest.add_output(best)
