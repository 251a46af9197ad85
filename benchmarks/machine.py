"""What benchmarks share: a description of the machine, timing, and writing of results."""

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

LIBRARIES = ("torch", "torchaudio", "lightning", "numpy", "scikit-learn", "umap-learn")


def best(work: Callable[[], object], times: int) -> float:
    """Time several runs and return the shortest, s."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return min(took)


def described() -> dict[str, object]:
    """Describe processor, cores, load, versions and the command, with the names of folders and not their paths."""
    model = platform.processor() or platform.machine()
    flags: set[str] = set()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            pairs = [line.partition(":") for line in stream]
        lines = {name.strip(): value.strip() for name, _, value in pairs}
        model = lines.get("model name", model)
        flags = set(lines.get("flags", "").split()) & {"avx2", "avx512_bf16", "amx_bf16"}
    return {
        "command": " ".join(
            ["python", f"benchmarks/{Path(sys.argv[0]).name}", *(Path(word).name for word in sys.argv[1:])]
        ),
        "processor": model,
        "fast_arithmetic": sorted(flags),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in LIBRARIES},
    }


def line(machine: dict[str, object]) -> str:
    """Format this description as a sentence."""
    versions = machine["versions"]
    assert isinstance(versions, dict)
    fast = machine["fast_arithmetic"]
    assert isinstance(fast, list)
    return (
        f"{machine['processor']} ({', '.join(fast) or 'no fast bfloat16'}), {machine['cores']} cores, Python "
        f"{machine['python']}, torch {versions['torch']}. Command: `{machine['command']}`."
    )


def keep(name: str, result: dict[str, Any], text: str) -> None:
    """Write NAME.json and NAME.md into benchmarks/results, and print NAME.md."""
    results = Path(__file__).parent / "results"
    (results / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (results / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)
