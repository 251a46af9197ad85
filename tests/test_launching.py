"""Several nodes: refused at once where nothing has started a process on each."""

from dataclasses import replace

import pytest

from canarygan_core.errors import UsageError
from canarygan_core.lightning.session import LAUNCHED, check_launcher
from canarygan_core.lightning.training import Training

TWO = Training(num_nodes=2)


@pytest.fixture(autouse=True)
def launched(monkeypatch):
    for name in (*LAUNCHED, "SLURM_NTASKS"):
        monkeypatch.delenv(name, raising=False)


def test_two_nodes_without_a_launcher_are_refused_and_told_what_is_missing():
    with pytest.raises(UsageError, match=r"-N 2 nodes need a launcher .* srun, torchrun, or MASTER_ADDR"):
        check_launcher(TWO)


@pytest.mark.parametrize(("name", "value"), [*((name, "7") for name in LAUNCHED), ("SLURM_NTASKS", "4")])
def test_two_nodes_of_a_launcher_pass(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    check_launcher(TWO)


def test_one_task_of_a_job_is_no_launcher(monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "1")
    with pytest.raises(UsageError):
        check_launcher(TWO)


def test_one_node_and_a_dry_run_need_none():
    check_launcher(Training())
    check_launcher(replace(TWO, dry_run=True))


def test_the_command_ends_before_it_loads_anything(site):
    ended = site.run("train-gan", "--model", "net", "-N", "2", chosen="")
    assert ended.returncode == 2
    site.install("net", MODEL)
    ended = site.run("train-gan", "--model", "net", "-N", "2")
    assert (ended.returncode, "-N 2 nodes need a launcher" in ended.stderr) == (2, True)
    assert not (site.folder / "runs").exists()


MODEL = """
from dataclasses import dataclass
from typing import ClassVar
from canarygan_core import Model, hookimpl

@dataclass(frozen=True)
class Net(Model):
    name: ClassVar[str] = "net"

    def train(self, clips, run, *, training):
        raise AssertionError("trained")

    @classmethod
    def load(cls, checkpoint, *, device="cpu"):
        raise NotImplementedError

@hookimpl
def register_models():
    return [Net]
"""
