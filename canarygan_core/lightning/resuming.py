"""What must be the same for a training to go on: its clips, and the options that shape what is learnt."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from canarygan_core.errors import CanaryganError
from canarygan_core.runs import Request, Run

if TYPE_CHECKING:
    from canarygan_core.clips import Clips


def check_same_clips(clips: "Clips", run: Run) -> None:
    """Raise `CanaryganError` where these are other clips than those that the run's training began with."""
    before, now = run.manifest.record.get("dataset", {}).get("fingerprint"), clips.origin.get("fingerprint")
    if before is not None and before != now:
        raise CanaryganError(
            f"The clips have changed since {run.checkpoints} was started (fingerprint {before[:19]} then, "
            f"{str(now)[:19]} now). Bring them back, or start anew without --resume."
        )


def check_same_options(request: Request, run: Run, fixed: Mapping[str, Collection[str] | None]) -> None:
    """Raise `CanaryganError` where the run's training was started with other options.

    Args:
        request: of now.
        run: of then.
        fixed: by part of the options, the names that may not change; None for all but those that say where something
            lies.
    """
    for part, names in fixed.items():
        before, now = run.manifest.record["options"].get(part), request.options[part]
        old = before.get("options", before) if isinstance(before, Mapping) else None
        if not isinstance(old, Mapping) or "name" in now.keys() - before.keys():
            raise CanaryganError(f"{run.manifest.path} does not say with which {part} the run was started.")
        if before.get("name") != now.get("name"):
            flag = f"--{part} {before['name']}"
            raise CanaryganError(f"{run.checkpoints} was started with {flag}: leave --{part} out, or start anew.")
        new = now.get("options", now)
        given = {name.replace("-", "_") for name in request.given}
        if late := sorted((new.keys() - old.keys()) & given):
            flag = "--" + late[0].replace("_", "-")
            raise CanaryganError(
                f"{run.checkpoints} was started before there was {flag}: leave it out, or start a new version."
            )
        for name in sorted(old.keys() - request.places.get(part, frozenset()) if names is None else names):
            flag = "--" + name.replace("_", "-")
            is_older = name not in old  # than the option
            if flag[2:] in request.given if is_older else old[name] != new.get(name):
                before = f"without {flag}" if is_older else f"with {flag} {old[name]}"
                raise CanaryganError(
                    f"{run.checkpoints} was started {before}, not {new.get(name)}: "
                    f"leave {flag} out, or start a new version without --resume."
                )
