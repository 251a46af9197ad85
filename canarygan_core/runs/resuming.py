"""What must be the same for a training to go on: its clips, and the options that shape what is learnt."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from canarygan_core.errors import CanaryganError
from canarygan_core.runs.manifest import Manifest
from canarygan_core.runs.request import Request

if TYPE_CHECKING:
    from canarygan_core.clips import Clips

SHAPING = frozenset({"batch_size", "seed"})
"""Options of a training that shape what is learnt; the others say where, and how long."""


def same_data(clips: "Clips", started: Manifest) -> None:
    """Raise `CanaryganError` where these are other clips than those that the training began with."""
    before = started.record.get("dataset", {}).get("fingerprint")
    if before is not None and before != clips.origin.get("fingerprint"):
        raise CanaryganError(
            f"The clips have changed since {started.path.parent} was started (fingerprint {before[:19]} then, "
            f"{str(clips.origin.get('fingerprint'))[:19]} now). Bring them back, or start anew without --resume."
        )


def same_options(request: Request, started: Manifest, fixed: Mapping[str, Collection[str] | None]) -> None:
    """Raise `CanaryganError` where a training was started with other options.

    Args:
        request: of now.
        started: the manifest of then.
        fixed: by part of the options, the names that may not change; None for all but where the data lies.
    """
    before, now = started.record["options"], request.options
    for part, names in fixed.items():
        old, new = before[part].get("options", before[part]), now[part].get("options", now[part])
        if before[part].get("name") != now[part].get("name"):
            named = f"--{part} {before[part]['name']}"
            raise CanaryganError(f"{started.path.parent} was started with {named}: leave --{part} out, or start anew.")
        for name in sorted(old.keys() - {"data_dir"} if names is None else names):
            if old[name] != new.get(name):
                flag = "--" + name.replace("_", "-")
                raise CanaryganError(
                    f"{started.path.parent} was started with {flag} {old[name]}, not {new.get(name)}: "
                    f"leave {flag} out, or start a new version without --resume."
                )
