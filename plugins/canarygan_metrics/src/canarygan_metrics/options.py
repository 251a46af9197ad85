"""Checks of options."""

from math import inf
from typing import Any

from canarygan_core import CanaryganError, Metric


def check_ranges(options: Any, /, **ranges: Any) -> None:
    """Raise `CanaryganError` where an option is out of its range.

    Args:
        options: the dataclass that has them.
        ranges: by option, its least value, or the least, the greatest and where it has one the unit.
    """
    prefix = f"{options.name}." if isinstance(options, Metric) else ""
    for name, bounds in ranges.items():
        low, high, *unit = bounds if isinstance(bounds, tuple) else (bounds, inf)
        value = getattr(options, name)
        if not low <= value <= high:
            wanted = " ".join([f"at least {low:g}" if high == inf else f"{low:g} to {high:.10g}", *unit])
            raise CanaryganError(f"--{prefix}{name.replace('_', '-')} must be {wanted}, not {value:g}.")
