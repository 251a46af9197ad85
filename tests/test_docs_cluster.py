"""The job scripts of docs/cluster.md do what the page says, with stand-ins for what a cluster brings."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from documents import DOCS

Submit = Callable[[Path, int], tuple[list[str], int]]

SCRIPTS = sorted((DOCS / "slurm").glob("*.sbatch"))
SRUN = """#!/bin/bash
echo "$@" >> called
exit "$(cat code)"
"""
SCONTROL = """#!/bin/bash
echo "scontrol $@" >> called
"""


@pytest.fixture
def submit(tmp_path: Path) -> Submit:
    """A function that runs a script in a folder whose `srun` ends with a code; gives what was called, and its code."""
    for name, source in {"srun": SRUN, "scontrol": SCONTROL}.items():
        (tmp_path / name).write_text(source, encoding="utf-8")
        (tmp_path / name).chmod(0o755)

    def run(script: Path, code: int) -> tuple[list[str], int]:
        (tmp_path / "called").write_text("", encoding="utf-8")
        (tmp_path / "code").write_text(str(code), encoding="utf-8")
        job = {"SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "named", "SLURM_CPUS_PER_TASK": "4", "SLURM_ARRAY_TASK_ID": "3"}
        given = {"DATA": "data", "CLASSIFIER": "judge", "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "-u", str(script)], cwd=tmp_path, env={**os.environ, **job, **given}, check=False
        )
        return (tmp_path / "called").read_text(encoding="utf-8").splitlines(), done.returncode

    return run


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_stopped_job_is_queued_again_and_goes_on(submit: Submit, script: Path, tmp_path: Path) -> None:
    name = {"train.sbatch": "named", "seeds.sbatch": "seed-3"}[script.name]
    (started, queued), code = submit(script, 130)
    assert started.startswith(f"canarygan train-gan -d data -s runs --version {name} ")
    assert (queued, code) == ("scontrol requeue 7", 130)
    manifest = tmp_path / "runs" / "checkpoints" / f"version_{name}" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{}", encoding="utf-8")
    called, _ = submit(script, 130)
    assert called[0] == f"canarygan train-gan --resume -s runs --version {name}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_job_that_is_done_or_has_failed_is_not_queued_again(submit: Submit, script: Path) -> None:
    for wanted in (0, 1):
        called, code = submit(script, wanted)
        assert code == wanted
        assert not [line for line in called if line.startswith("scontrol")]
        assert any("inception gan" in line for line in called) == (script.name == "seeds.sbatch" and wanted == 0)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_signal_asked_for_is_the_one_that_trainings_heed(script: Path) -> None:
    assert "#SBATCH --signal=SIGTERM@" in script.read_text(encoding="utf-8")
