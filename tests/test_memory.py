"""Freed memory is used again."""

import platform
import subprocess
import sys

import pytest


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_arrays_of_one_size_after_the_other_touch_no_new_pages() -> None:
    script = """
import resource
import numpy as np
from canarygan_core.cli.memory import keep_freed
assert keep_freed()
np.ones(1 << 23)  # 64 MiB
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(1 << 23)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert int(told) < 1000  # of 4 KiB; each array has 16,384
