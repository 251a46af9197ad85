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

import pytest
from _pytest.runner import runtestprotocol
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

PLAN = Path("plan.json")
"""The names of the mutants to look at, and where to note what became of them."""

MOST = 60
"""Tests that a mutant is shown at most: those that call the fewest other functions."""

SECONDS = 10
"""Of computation that a mutant has, or else it counts as one that never ends."""

PATIENCE = 300
"""Seconds that a mutant may wait for something."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    plan = json.loads(PLAN.read_text(encoding="utf-8"))
    items = {item.nodeid: item for item in session.items}
    calls = Path("calls.json")
    if (plan["anew"] or not calls.is_file()) and in_child(lambda: note_calls(items, calls), 3600):
        raise SystemExit("A test fails without any mutant; see above.")
    tests = json.loads(calls.read_text(encoding="utf-8"))
    with open(plan["results"], "a", encoding="utf-8") as results:
        for mutant in plan["mutants"]:
            function = mutant.rpartition("__mutmut_")[0]
            chosen = [items[name] for name in tests.get(function, []) if name in items][:MOST]
            code = in_child(lambda mutant=mutant, chosen=chosen: run(mutant, chosen), SECONDS)
            status = "survived" if code == 0 else "caught" if code == 1 else "no end"
            print(json.dumps([mutant, status if chosen else "no test"]), file=results, flush=True)
    return True


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


def note_calls(items: dict[str, pytest.Item], calls: Path) -> int:
    """Write the tests that call each function, the most particular first; 1 where a test fails."""
    set_mutant_under_test("stats")
    del os.environ["MUTANT_UNDER_TEST"]  # processes that the tests start note nothing
    called = {}
    for name, item in items.items():
        forget()
        state()._stats.clear()
        for report in runtestprotocol(item, log=False, nextitem=None):
            if report.failed:
                sys.__stderr__.write(f"{name}\n{report.longreprtext}\n")
                return 1
        called[name] = sorted(state()._stats)
    by_function = defaultdict(list)
    for name in sorted(called, key=lambda name: len(called[name])):
        for function in called[name]:
            by_function[function].append(name)
    calls.write_text(json.dumps(by_function), encoding="utf-8")
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
