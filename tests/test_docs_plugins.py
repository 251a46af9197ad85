"""docs/plugins.md tells plugin authors every hook, kind, method and fixture, to the letter."""

import ast
import inspect
import re
import tomllib
from typing import Any

import pytest
from documents import ROOT, section, text

from canarygan_core import components, hookspecs, testing
from canarygan_core.cli.plugins import list_plugins
from canarygan_core.components import KINDS, Component
from canarygan_core.plugins import Plugin, Registry
from canarygan_core.plugins.scaffold import RUNS
from canarygan_core.testing import fixtures


def hooks() -> dict[str, Any]:
    return {name: value for name, value in vars(hookspecs).items() if name.startswith("register_")}


@pytest.mark.parametrize("name", hooks())
def test_hook_is_documented_with_its_signature(name: str) -> None:
    returned = inspect.signature(hooks()[name]).return_annotation
    assert f"`{name}() -> {returned}`" in section("plugins.md", "Hooks")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_kind_is_documented_with_its_methods(kind: type[Component]) -> None:
    own = {name for name, value in vars(kind).items() if not name.startswith("_") and method(kind, name)}
    assert kind.__abstractmethods__ <= own
    block = told(f"class {kind.__name__}(Component):")
    assert {name for name in own if signature(kind, name) in block} == own
    assert f"| {kind.kind} |" in section("plugins.md", "Hooks")


@pytest.mark.parametrize("name", ["Generator", "FittedDecoder", "FittedProjector"])
def test_what_a_kind_gives_is_documented(name: str) -> None:
    block = told(f"class {name}(Protocol):")
    for member in vars(getattr(components, name)):
        if not member.startswith("_"):
            assert re.search(rf"\b{member}\b", block), member


def told(heading: str) -> str:
    """A class of the page, quotes left out."""
    page = plain(text("plugins.md"))
    assert heading in page
    return re.split(r"\n(?:class |```)", page[page.index(heading) :])[0]


def method(kind: type[Component], name: str) -> ast.FunctionDef | None:
    """A method in the source of a kind."""
    tree = ast.parse(inspect.getsource(components))
    owner = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == kind.__name__)
    return next((node for node in owner.body if isinstance(node, ast.FunctionDef) and node.name == name), None)


def signature(kind: type[Component], name: str) -> str:
    """A method as it stands in the source, quotes left out."""
    found = method(kind, name)
    assert found is not None
    assert found.returns is not None
    return plain(f"def {name}({ast.unparse(found.args)}) -> {ast.unparse(found.returns)}").replace("=", " = ")


def plain(source: str) -> str:
    return re.sub(r"""["']""", "", source)


def test_every_check_and_fixture_is_documented() -> None:
    page = section("plugins.md", "The contract, tested")
    for name in set(testing.__all__) - {"HEAVY"}:
        assert f"| `{name}(" in page, name
    tree = ast.parse(inspect.getsource(fixtures))
    offered = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    assert {"toy_clips", "canarygan"} <= set(offered)
    assert all(f"| `{name}` |" in page for name in offered)


def test_every_kind_that_can_be_made_is_named() -> None:
    page = text("plugins.md")
    assert set(RUNS) == {kind.kind for kind in KINDS} | {"task"}
    assert all(f"`{kind}`" in page for kind in RUNS)


def test_what_is_said_of_failures_is_what_is_printed() -> None:
    registry = Registry()
    registry.fail(Plugin("broken", "canarygan-broken", "1.0"), ValueError("no"))
    page = section("plugins.md", "When something fails")
    assert "not loaded:" in list_plugins(registry).text
    assert "`not loaded:`" in page
    assert "`conflict:`" in page


def test_the_version_that_plugins_are_told_to_require_is_this_one() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    major, minor = version.split(".")[:2]
    wanted = f"canarygan>={major}.{minor},<{major}.{int(minor) + 1}"
    for page in ("plugins.md", "tutorial.md"):
        assert set(re.findall(r"canarygan>=[\d.]+,<[\d.]+", text(page))) == {wanted}
