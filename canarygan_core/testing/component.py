"""The contract of components, for the tests of any plugin: what breaks it is an `AssertionError` that says what to do.

def test_contract():
    check_component(MyMetric)
    check_cheap_import("canarygan_my_metric")
"""

import json
import math
import os
import re
import subprocess
import sys
import tempfile
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import partial
from pathlib import Path
from typing import Any

from canarygan_core.components import KINDS, Component
from canarygan_core.errors import CanaryganError
from canarygan_core.plugins import Plugin, Registry, hookimpl
from canarygan_core.plugins.options import build_app, restore, to_json
from canarygan_core.testing import contracts
from canarygan_core.testing.hygiene import check_traces
from canarygan_core.testing.toys import explain, refuses
from canarygan_core.testing.units import tells_unit

HEAVY = (
    *("hdbscan", "jax", "librosa", "lightning", "matplotlib", "numba", "numpy", "pandas", "reservoirpy", "scipy"),
    *("sklearn", "soundfile", "soxr", "tensorflow", "torch", "torchaudio", "torchmetrics", "transformers", "umap"),
)
"""Modules that take so long to import that a plugin may do so only when it works, not when it is found."""

OPTION = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
"""What an option is called."""

SLOW = 2.0
"""Seconds that the import of an entry module may take."""

ODD: Mapping[Any, tuple[Any, ...]] = {int: (-1, 0), float: (-1.0, 0.0, math.nan, math.inf), str: ("",)}
"""Values that an option of a type may be given, and often cannot have."""

_PROBE = """
import contextlib, importlib, io, json, logging, os, sys, threading, time
from canarygan_core.plugins import Plugin, Registry
before, registry, printed, environment = set(sys.modules), Registry(), io.StringIO(), dict(os.environ)
began = time.monotonic()
with contextlib.redirect_stdout(printed):
    registry.add(Plugin("probed", "probed", ""), importlib.import_module(sys.argv[1]))
seconds = time.monotonic() - began
brought = [name for name in sys.argv[2:] if name in sys.modules and name not in before]
traces = {
    "prints": bool(printed.getvalue()),
    "starts threads": threading.active_count() > 1,
    "changes the environment": dict(os.environ) != environment,
    "configures the root logger": bool(logging.getLogger().handlers),
    "changes the working directory": os.path.realpath(os.getcwd()) != os.environ["PROBED"],
}
told = {"failure": registry.plugins[0].failure, "heavy": brought, "seconds": seconds}
print(json.dumps(told | {"traces": [what for what, found in traces.items() if found]}))
"""


def check_component(cls: type[Any], /, **options: Any) -> None:
    """Check that a class is a sound component, and does what its kind promises on toy clips.

    Args:
        cls: what a hook returns.
        options: values of its fields; give those that have no default, and what makes it quick.

    Raises:
        AssertionError: where it breaks the contract; the message says what to change.
    """
    kind = _check_class(cls)
    name = cls.__name__
    after = f" If it is right, pass options with which it can: check_component({name}, ...)."
    is_movable = all(value.is_absolute() for value in options.values() if isinstance(value, Path))
    with tempfile.TemporaryDirectory() as folder, check_traces(name, is_movable):
        component = _check_options(cls, options)
        _check_record(cls, component)
        with explain(CanaryganError, f"{name} cannot work: ", after):
            contracts.CHECKS[kind](component, Path(folder))
    assert component == cls(**options), f"{name} changed its options while it worked: keep what is learnt elsewhere."


def check_cheap_import(module: str) -> None:
    """Check that a plugin's entry module is found without waiting: that it and its hooks import no heavy library.

    Nor may it take long for another reason, print, or change the process that imports it.

    Raises:
        AssertionError: where it does, or cannot be loaded.
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PROBED": os.path.realpath(os.getcwd())}
    command = [sys.executable, "-c", _PROBE, module, *HEAVY]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{module} cannot be imported:\n{done.stderr}"
    told = json.loads(done.stdout.splitlines()[-1])
    assert not told["failure"], f"{module} cannot be loaded as a plugin: {told['failure']}"
    heavy = ", ".join(told["heavy"])
    assert not heavy, f"{module} imports {heavy}: import them within the functions that use them."
    traces = " and ".join(told["traces"])
    assert not traces, f"{module} {traces} when it is imported: let its functions do so when they are used."
    advice = "import what takes long within the functions that use it"
    assert told["seconds"] < SLOW, f"{module} takes {told['seconds']:.1f} s to import: {advice}."


def _check_class(cls: type[Any]) -> type[Component]:
    """The class's one kind."""
    assert isinstance(cls, type), f"{cls!r} is not a class: hooks return classes, not instances."
    name = cls.__name__
    kinds = [kind for kind in KINDS if issubclass(cls, kind)]
    known = ", ".join(kind.__name__ for kind in KINDS)
    assert len(kinds) == 1, f"{name} must derive from exactly one of {known}, not from {len(kinds)} of them."
    is_frozen = getattr(vars(cls).get("__dataclass_params__"), "frozen", False)
    assert is_frozen, f"{name} must be decorated with @dataclass(frozen=True)."
    with explain(NameError, f"{name}: ", ": import the types of its fields outside of `if TYPE_CHECKING`."):
        typing.get_type_hints(cls)
    module = types.ModuleType(cls.__module__)
    setattr(module, f"register_{kinds[0].kind}s", hookimpl(lambda: [cls]))
    registry = Registry()
    registry.add(Plugin("checked", "checked", ""), module)
    failure = registry.plugins[0].failure
    assert not failure, f"{name} is refused by the kernel: {failure}"
    return kinds[0]


def _check_options(cls: type[Any], options: Mapping[str, Any]) -> Any:
    """The component of these options."""
    name = cls.__name__
    own = {field.name: field for field in fields(cls)}
    for constant in ("name", "kind", "presets", "preset_purposes"):
        advice = f"annotate it, `{constant}: ClassVar[...] = ...`"
        assert constant not in own, f"{name}.{constant} is an option of the command line: {advice}."
    for option, field in own.items():
        spelt = OPTION.fullmatch(option) is not None
        assert spelt, f"{name}.{option} makes no flag: give it a name of lower-case letters, digits and underscores."
        is_bare = field.default is field.default_factory is MISSING
        advice = f"give it one, or pass a value to check with: check_component({name}, {option}=...)"
        assert not is_bare or option in options, f"{name}.{option} has no default: {advice}."
    component = cls(**options)
    with explain(TypeError, f"{name} cannot be hashed (", "): let its fields be tuples, not lists or dicts."):
        same = hash(component) == hash(cls(**options))
    assert same, f"Two {name} of the same options have different hashes: leave __hash__ to the dataclass."
    assert component == cls(**options), f"Two {name} of the same options differ: leave __eq__ to the dataclass."
    hints = typing.get_type_hints(cls)
    for option in own:
        for odd in ODD.get(hints[option], ()):
            changed: dict[str, Any] = {**options, option: odd}
            refuses(f"{name}({option}={odd!r})", partial(type.__call__, cls, **changed))
    return component


def _check_record(cls: type[Any], component: Any) -> None:
    """Options go into a manifest and come back, and each of them has a help text."""
    name = cls.__name__
    with explain(TypeError, f"The options of {name} cannot be written as JSON: ", "."):
        record = json.loads(json.dumps(to_json(component)))
    with explain(CanaryganError, f"{name} cannot be built again from its record {record}: "):
        rebuilt = restore(cls, record)
    assert rebuilt == component, f"{name} comes back from its record as {rebuilt}, not as {component}."
    for argument in build_app(cls).assemble_argument_collection(parse_docstring=True):
        if argument.keys and not list(argument.children):
            message = f"{name}.{'.'.join(argument.keys)} has no help: write a string under the field"
            assert argument.parameter.help, f"{message}, which ends with its unit."
            is_number = {argument.hint, *typing.get_args(argument.hint)} & {int, float}
            has_unit = not is_number or tells_unit(argument.parameter.help)
            told = f"{name}.{'.'.join(argument.keys)} does not tell its unit in {argument.parameter.help!r}"
            assert has_unit, f"{told}: end it with the unit of the number, such as `, Hz`."
    doc = (vars(cls).get("__doc__") or "").strip()
    own = doc and not doc.startswith(f"{name}(")  # a dataclass without one gets its signature
    assert own, f"{name} has no docstring: `canarygan plugins show` and the help tell its first sentence."
