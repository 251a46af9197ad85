"""A copy of the repository in which every function holds its mutants, which mutmut makes.

mutmut leaves out functions that have a decorator, here those that keep files whole. So `@contextmanager` and its like
become calls below the function first, which mean the same.
"""

import ast
import difflib
import fnmatch
import os
import subprocess
from pathlib import Path

import libcst as cst
from mutmut.mutation.file_mutation import mutate_file_contents

ROOT = Path(__file__).parents[2]
STAGE = ROOT / ".mutation"
MODULES = ("canarygan_core/runs/*.py", "canarygan_core/plugins/*.py", "canarygan_core/cli/binding.py")
DECORATORS = ("contextmanager", "property", "functools.cache", "hookimpl")


class Undecorated(cst.CSTTransformer):
    """Turns `@wrap` above a function into `name = wrap(name)` below it."""

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.FlattenSentinel[cst.BaseStatement]:
        if len(updated_node.decorators) != 1:
            return updated_node
        wrap = cst.Module([]).code_for_node(updated_node.decorators[0].decorator)
        if wrap not in DECORATORS:
            return updated_node
        name = updated_node.name.value
        plain = updated_node.with_changes(decorators=[])
        return cst.FlattenSentinel([plain, cst.parse_statement(f"{name} = {wrap}({name})")])


def stage() -> None:
    """Bring the copy up to date; mutants are made anew of what changed."""
    os.environ.pop("MUTANT_UNDER_TEST", None)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for old in {path.relative_to(STAGE).as_posix() for path in (STAGE / "tests").rglob("*.py")} - set(listed):
        (STAGE / old).unlink()
    for name in filter(None, listed):
        source, target = ROOT / name, STAGE / name
        if not source.is_file() or (target.is_file() and target.stat().st_mtime > source.stat().st_mtime):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(
            mutate(name, source.read_text("utf-8")).encode() if is_mutated(name) else source.read_bytes()
        )


def is_mutated(name: str) -> bool:
    """Whether a file of the repository is one of those whose mutants are looked at."""
    return any(fnmatch.fnmatch(name, pattern) and name.count("/") == pattern.count("/") for pattern in MODULES)


def mutate(name: str, source: str) -> str:
    """A module with all its mutants."""
    return mutate_file_contents(name, cst.parse_module(source).visit(Undecorated()).code).code


def list_mutants() -> dict[str, str]:
    """By name, each mutant's line before and after."""
    mutants = {}
    for pattern in MODULES:
        for path in sorted(STAGE.glob(pattern)):
            module = path.relative_to(STAGE).as_posix().removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            text = path.read_text(encoding="utf-8")
            nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
            lines = text.splitlines()
            bodies = {node.name: read_lines(node, lines) for node in nodes if "__mutmut_" in node.name}
            for one, body in bodies.items():
                base = one.rpartition("__mutmut_")[0] + "__mutmut_orig"
                if one != base:
                    mutants[f"{module}.{one}"] = tell_change(bodies[base], body)
    return mutants


def read_lines(node: ast.FunctionDef, lines: list[str]) -> list[str]:
    """The lines of a function, without its name."""
    return [lines[node.lineno - 1].replace(node.name, ""), *lines[node.lineno : node.end_lineno]]


def tell_change(before: list[str], after: list[str]) -> str:
    """The lines that differ, with - and + before them."""
    changed = list(difflib.unified_diff(before, after, lineterm="", n=0))[3:]
    return "\n".join(" ".join(line.split()) for line in changed if not line.startswith("@@"))
