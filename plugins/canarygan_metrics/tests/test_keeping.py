"""Which checkpoints of the classifier are kept, whatever a kill left and whatever stands in a record."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from canarygan_metrics.classifier import training
from canarygan_metrics.classifier.training import keep_best

from canarygan_core import CanaryganError, Request, runs
from canarygan_core.cli import main
from canarygan_core.runs import files

from .conftest import LEARNT, Toys


def save(run: runs.Run, epoch: int, loss: float) -> Path:
    path = run.checkpoints / "all" / f"epoch_{epoch}-step_{epoch}.ckpt"
    path.parent.mkdir(exist_ok=True)
    torch.save({"updates": epoch, "progress": {"validated": [loss, 0.5]}}, path)
    run.manifest.add_output(path)
    return path


def is_best(run: runs.Run, path: Path) -> bool:
    key = str(run.best.relative_to(run.checkpoints))
    return run.best.read_bytes() == path.read_bytes() and run.manifest.record["outputs"][key] == files.compute_digest(
        path
    )


def test_a_record_deletes_no_file_but_checkpoints_beside_it(tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    with runs.open_run(tmp_path / "inception", Request("train-inception")) as run:
        names: list[Any] = [save(run, epoch, 1.0 / epoch) for epoch in (1, 2, 3)]
        own = names[0].with_name("mine.ckpt")
        own.write_text("precious")
        hostile = {str(victim): 99.0, "../../../../victim.txt": 98.0, "mine.ckpt": 97.0, names[0].name: 0.001}
        names[0].with_name("losses.json").write_text(json.dumps(hostile))
        keep_best(run, names[2], 0.3, 2)
    assert victim.read_text() == own.read_text() == "precious"
    assert sorted(path.name for path in names[0].parent.iterdir()) == [names[0].name, names[2].name, *LEFT]
    assert json.loads(names[0].with_name("losses.json").read_text()) == {names[0].name: 0.001, names[2].name: 0.3}


LEFT = ["losses.json", "mine.ckpt"]


def test_a_checkpoint_whose_loss_a_kill_left_out_counts_with_its_own(tmp_path: Path) -> None:
    with runs.open_run(tmp_path, Request("train-inception")) as run:
        first = save(run, 1, 0.5)
        keep_best(run, first, 0.5, 2)
        unknown = save(run, 2, 0.1)  # killed here
        last = save(run, 3, 0.4)
        keep_best(run, last, 0.4, 2)
        assert is_best(run, unknown)
        assert not first.exists()
        assert run.manifest.record["outputs"].keys() == {f"all/{unknown.name}", f"all/{last.name}", "best/best.ckpt"}


@pytest.mark.parametrize("step", ["remove_output", "unlink", "copy", "add_output"])
def test_what_a_kill_left_undone_is_done_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with runs.open_run(tmp_path, Request("train-inception")) as run:
        first = save(run, 1, 0.5)
        keep_best(run, first, 0.5, 1)
        better = save(run, 2, 0.1)
        with monkeypatch.context() as patch:
            patch.setattr(*{"unlink": (Path, step), "copy": (files, step)}.get(step, (runs.Manifest, step)), die)
            with pytest.raises(KeyboardInterrupt):
                keep_best(run, better, 0.1, 1)
        assert json.loads(better.with_name("losses.json").read_text()) == {better.name: 0.1}, "noted first"
        keep_best(run, save(run, 2, 0.1), 0.1, 1)
        assert is_best(run, better)
        assert [path.name for path in run.list_checkpoints()] == [better.name]
        assert run.manifest.record["outputs"].keys() == {f"all/{better.name}", "best/best.ckpt"}


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": "b"}', '{"a": null}'])
def test_a_record_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    with runs.open_run(tmp_path, Request("train-inception")) as run:
        path = save(run, 1, 0.5)
        path.with_name("losses.json").write_text(text)
        with pytest.raises(CanaryganError, match=r"losses\.json does not hold losses"):
            keep_best(run, path, 0.5, 1)


def test_a_training_goes_on_where_its_newest_checkpoint_is_the_worst(
    toys: Toys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([0.3, 0.1, 0.5, 0.2])
    monkeypatch.setattr(training, "keep_best", lambda run, path, _, count: keep_best(run, path, next(losses), count))
    words = ["train-inception", "-d", str(toys.data), "-s", str(tmp_path), "--max-epochs", "4", "--save-topk", "1"]
    assert main.main([*words, *LEARNT, "-q"]) == 0
    version = tmp_path / "checkpoints" / "version_0"
    (kept,) = (version / "all").glob("*.ckpt")
    assert kept.name.startswith("epoch_2-")
    assert (version / "best" / "best.ckpt").read_bytes() == kept.read_bytes()
    assert (
        torch.load(version / "last" / "last.ckpt", weights_only=True)["updates"]
        == 2 * torch.load(kept, weights_only=True)["updates"]
    )
