"""The frame of a task that trains: clips loaded and checked against the run that goes on, a run opened, a dry run."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from canarygan_core import runs
from canarygan_core.console import log
from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.lightning.resuming import check_same_clips, check_same_options
from canarygan_core.lightning.training import Training
from canarygan_core.runs import Request, Run, files

if TYPE_CHECKING:
    from canarygan_core.clips import Clips


LAUNCHED = ("MASTER_ADDR", "TORCHELASTIC_RUN_ID", "LSB_DJOB_RANKFILE", "OMPI_COMM_WORLD_SIZE")
"""Variables of the environment by which launchers tell the processes of several nodes where to meet."""


@contextmanager
def open_training(
    load: "Callable[[], Clips]",
    training: Training,
    request: Request,
    *,
    save_dir: Path,
    version: str,
    resume: bool,
    fixed: Mapping[str, Collection[str] | None],
) -> "Iterator[tuple[Clips, Run, Training]]":
    """The clips, the run and the options that the block trains with. A dry run has a run that is removed afterwards.

    Args:
        load: gives the clips.
        training: options.
        request: what was asked for.
        save_dir: folder of all versions.
        version: `infer`, a number or a name.
        resume: go on with a version that exists.
        fixed: options that must be those the run was started with, as `check_same_options` takes them.

    Raises:
        CanaryganError: where the run cannot be resumed or opened, or was started with other clips or options; or where
            several nodes are asked for and nothing has started a process on each.
    """
    check_launcher(training)
    started = runs.find_to_resume(save_dir, version, request.task) if resume else None
    if started is not None:
        save_dir, version = started.save_dir, started.version
        check_same_options(request, started, fixed)
    try:
        clips = load()
    except CanaryganError as error:
        raise CanaryganError(f"{error}{_ask_where(request) if started else ''}") from error
    if started is not None:
        check_same_clips(clips, started)
    with ExitStack() as stack:
        if training.dry_run:
            folder = stack.enter_context(files.make_temporary_folder())
            run = stack.enter_context(runs.open_run(folder, request))
            training = replace(training, devices=1, num_nodes=1)
        else:
            facts = {"dataset": dict(clips.origin), "seed": training.seed}
            opened = runs.open_run(save_dir, request, version=version, resume=resume, facts=facts)
            run = stack.enter_context(opened)
            log.info(f"Version {run.version} in {run.save_dir}.")
        yield clips, run, training


def _ask_where(request: Request) -> str:
    """For work that goes on, the flags that say where things lie now which do not lie where they lay, as a sentence."""
    flags = []
    for part, names in request.places.items():
        options = request.options[part].get("options", {})
        flags += [
            f"--{name.replace('_', '-')} PATH (now {options[name]})"
            for name in sorted(names)
            if isinstance(options.get(name), str) and not Path(options[name]).exists()
        ]
    return f" If it was moved, say where to: {', '.join(flags)}." if flags else ""


def check_launcher(training: Training) -> None:
    """Raise `UsageError` where several nodes are asked for and no launcher is there: each would wait for the others."""
    is_slurm = int(os.environ.get("SLURM_NTASKS", "1")) > 1
    if training.num_nodes > 1 and not (training.dry_run or is_slurm or any(name in os.environ for name in LAUNCHED)):
        wanted = "a launcher that starts a process on each of them: srun, torchrun"
        by_hand = "MASTER_ADDR, MASTER_PORT and NODE_RANK set by hand on each"
        raise UsageError(f"-N {training.num_nodes} nodes need {wanted}, or {by_hand}. On one machine leave out -N.")
