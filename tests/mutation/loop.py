"""A pytest plugin: each mutant in a process of its own, by the tests that call its function, until one of them fails.

All tests are collected once. A first process notes which functions each test calls. A mutant's tests run in the order
of how many functions they call, so that those that are about its function come first.
"""

import contextlib
import json
import os
import resource
import signal
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

PLAN = Path("plan.json")
"""The names of the mutants to look at, and where to note what became of them."""

CALLS = Path("calls.json")
"""By test, the functions that it calls, and the time of its file."""

MOST = 200
"""Tests that a mutant is shown at most: those that call the fewest other functions."""

SECONDS = 10
"""Of computation that a mutant has, or else it counts as one that never ends."""

PATIENCE = 1800
"""Seconds that a mutant may wait for something, on a machine that has other things to do."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    plan = json.loads(PLAN.read_text(encoding="utf-8"))
    items = {item.nodeid: item for item in session.items}
    known = {} if plan["anew"] or not CALLS.is_file() else json.loads(CALLS.read_text(encoding="utf-8"))
    known = {name: one for name, one in known.items() if name in items and one["time"] == read_time(items[name])}
    if in_child(lambda: note_calls(items, known), 3600):
        raise SystemExit("A test fails without any mutant; see above.")
    tests = list_tests(json.loads(CALLS.read_text(encoding="utf-8")))
    with open(plan["results"], "a", encoding="utf-8") as results:
        for mutant, change in plan["mutants"]:
            function = mutant.rpartition("__mutmut_")[0]
            chosen = [items[name] for name in tests[function][:MOST]]
            code = in_child(lambda mutant=mutant, chosen=chosen: run(mutant, chosen), SECONDS)
            status = "survived" if code == 0 else "caught" if code == 1 else "no end"
            print(json.dumps([mutant, change, status if chosen else "no test"]), file=results, flush=True)
    return True


def list_tests(called: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """By function, the tests that call it, the most particular first."""
    tests = defaultdict(list)
    for name in sorted(called, key=lambda name: len(called[name]["calls"])):
        for function in called[name]["calls"]:
            tests[function].append(name)
    return tests


def read_time(item: pytest.Item) -> int:
    """When the file of a test was changed."""
    return item.path.stat().st_mtime_ns


def in_child(work: Callable[[], int], seconds: int) -> int:
    """What work returns in a process of its own, which is left nothing to do when it ends."""
    child = os.fork()
    if child == 0:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        signal.alarm(max(seconds, PATIENCE))
        code = 1
        try:
            code = work()
        finally:
            sys.stdout.flush()
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    return code


def note_calls(items: dict[str, pytest.Item], known: dict[str, dict[str, Any]]) -> int:
    """Write which functions each test calls, where that is not known; 1 where a test fails."""
    set_mutant_under_test("stats")
    del os.environ["MUTANT_UNDER_TEST"]  # processes that the tests start note nothing
    for name, item in items.items():
        if name not in known:
            forget()
            state()._stats.clear()
            for report in runtestprotocol(item, log=False, nextitem=None):
                if report.failed:
                    sys.__stderr__.write(f"{name}\n{report.longreprtext}\n")
                    return 1
            known[name] = {"time": read_time(item), "calls": sorted(state()._stats)}
    CALLS.write_text(json.dumps(known), encoding="utf-8")
    return 0


def run(mutant: str, items: list[pytest.Item]) -> int:
    """1 where a test fails with this mutant."""
    set_mutant_under_test(mutant)
    forget()
    return int(any(report.failed for item in items for report in runtestprotocol(item, log=False, nextitem=None)))


def forget() -> None:
    """Clear what the kernel keeps of earlier calls, which may be made again otherwise now."""
    for name, module in list(sys.modules.items()):
        for value in list(vars(module).values()) if name.startswith("canarygan_core") else ():
            if hasattr(value, "cache_clear"):
                value.cache_clear()
