"""Memory that is used again, and not given back to the system at every turn."""

import ctypes

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4
"""Numbers of glibc's options, as in its malloc.h."""

STEP = 1 << 26
"""By how much the heap grows at a time, bytes."""


def keep_freed() -> bool:
    """Let this process use freed memory again; gives whether the C library (glibc alone) took that.

    Networks allocate arrays of many megabytes a hundred times a second. By default each comes fresh from the system,
    and its pages are cleared at first touch, which takes longer than most of what is computed there.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all([mallopt(MMAP_MAX, 0), mallopt(TRIM_THRESHOLD, -1), mallopt(TOP_PAD, STEP)])
