"""A training whose surroundings fail: no folder for temporary files, no right to write, no room, a closed terminal."""

import errno
import os
import signal
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canarygan_wavegan.component import WaveGAN

from canarygan_core import console, runs
from canarygan_core.clips import Clips
from canarygan_core.errors import CanaryganError, Interrupted
from canarygan_core.lightning.training import Training
from canarygan_core.runs import Request, Run

SMALL: dict[str, Any] = {"batch_size": 4, "max_epochs": 1, "accelerator": "cpu", "precision": "32"}


def train(folder: Path, **training: Any) -> Run:
    noise = np.random.default_rng(0).uniform(-1, 1, (12, 4096)).astype(np.float32)
    with runs.open_run(folder, Request("train-gan")) as run:
        WaveGAN(dim=2, slice_len=4096, critic_updates=1).train(
            Clips(noise, 16000), run, training=Training(**(SMALL | training))
        )
    return run


def test_checkpoints_need_no_folder_of_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("mkstemp", "NamedTemporaryFile", "TemporaryFile", "mkdtemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    run = train(tmp_path)
    assert run.last.is_file()
    assert [path.name for path in run.last.parent.iterdir()] == ["last.ckpt"]


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EACCES, "Permission denied. Mend that, and go on with --resume."),
        (errno.EROFS, "Read-only file system. Mend that, and go on with --resume."),
        (errno.ENOSPC, "No space left on device. Make room, and go on with --resume."),
        (errno.EDQUOT, "Disk quota exceeded. Make room, and go on with --resume."),
    ],
)
def test_why_a_checkpoint_was_not_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    import torch

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(torch, "save", refuse)
    with pytest.raises(CanaryganError) as raised:
        train(tmp_path)
    assert str(raised.value).endswith(f"epoch_1-step_3.ckpt: {advice}")
    assert not list(tmp_path.rglob("*.part"))


def test_a_training_tells_how_far_it_is_where_there_is_no_terminal(tmp_path: Path, monkeypatch: Any) -> None:
    from canarygan_core.lightning.checkpointing import Checkpointing

    after_update, lines = Checkpointing.after_update, []

    def looking(self: Checkpointing, trainer: Any) -> None:
        lines.append(str(console._shown[-1]))  # what is logged every 30 s
        after_update(self, trainer)

    monkeypatch.setattr(Checkpointing, "after_update", looking)
    train(tmp_path)
    assert [line.partition(",")[0] for line in lines] == [f"training: {count} of 3" for count in (1, 2, 3)]
    assert lines[-1].endswith("(epoch 1 of 1)")


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="terminals send no signal here")
def test_a_closed_terminal_saves_and_its_second_signal_stops_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    from canarygan_core.lightning.checkpointing import Checkpointing

    after_update = Checkpointing.after_update

    def sending(self: Checkpointing, trainer: Any) -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGHUP)
        after_update(self, trainer)

    monkeypatch.setattr(Checkpointing, "after_update", sending)
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup has it ignored
    try:
        with pytest.raises(Interrupted, match="Stopped after 1 updates"):
            train(tmp_path)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)
    assert runs.find_checkpoint(tmp_path).is_file()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="terminals send no signal here")
def test_a_closed_terminal_stops_nothing_where_that_is_ignored(tmp_path: Path, monkeypatch: Any) -> None:
    from canarygan_core.lightning.checkpointing import Checkpointing

    after_update = Checkpointing.after_update

    def sending(self: Checkpointing, trainer: Any) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        after_update(self, trainer)

    monkeypatch.setattr(Checkpointing, "after_update", sending)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert train(tmp_path).manifest.record["status"] == "finished"
    finally:
        signal.signal(signal.SIGHUP, before)
