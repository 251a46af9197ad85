"""Checks of options."""

from math import inf
from typing import Any

from canarygan_core import CanaryganError, Metric


def check_ranges(options: Any, /, **ranges: tuple[float, float]) -> None:
    """Raise `CanaryganError` where an option is below the first or above the second of its two bounds."""
    prefix = f"{options.name}." if isinstance(options, Metric) else ""
    for name, (low, high) in ranges.items():
        value = getattr(options, name)
        if not low <= value <= high:
            bounds = f"at least {low:g}" if high == inf else f"{low:g} to {high:.10g}"
            raise CanaryganError(f"--{prefix}{name.replace('_', '-')} must be {bounds}, not {value:g}.")
