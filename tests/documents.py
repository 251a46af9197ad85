"""The documents, cut into blocks, and what runs these one after the other as a reader would.

HTML comments right before a block, a line each, say what is special about it:

not run: WHY            it is only looked at
in its place: COMMAND   what is run instead of a block that is not, for those that follow
with: OPTIONS           added to its commands, so that they take seconds
needs: DISTRIBUTION     left out where that is not installed
file: PATH              written to that file, from the folder in which the page is run
from: PATH              the same as that file of the repository, or some lines of it
"""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(
    page
    for pattern in (
        *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md"),
        *("plugins/*/README.md", "examples/*/README.md"),
    )
    for page in ROOT.glob(pattern)
)
MARKS = frozenset({"not run", "in its place", "with", "needs", "file", "from"})
FENCE = re.compile(r"(?P<marks>(?:<!-- [^>]+ -->\n)*)```(?P<language>\w*)\n(?P<content>.*?)^```$", re.DOTALL | re.M)


def text(name: str) -> str:
    """A page of docs/."""
    return (DOCS / name).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """What stands under a heading of the second level."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text(page), re.DOTALL | re.MULTILINE)
    assert found, f"{page} has no section {heading}"
    return found[1]


def ids(path: Path) -> str:
    """A page's name in the list of tests."""
    return str(path.relative_to(ROOT))


@dataclass(frozen=True)
class Block:
    """A fenced block, and by mark what is special about it."""

    language: str
    content: str
    marks: dict[str, str]

    @property
    def possible(self) -> bool:
        """Whether what it needs is installed."""
        return all(importlib.util.find_spec(name.replace("-", "_")) for name in self.marks.get("needs", "").split())

    @property
    def script(self) -> str:
        """What bash is given."""
        if "not run" in self.marks:
            return self.marks.get("in its place", "")
        options = self.marks.get("with", "")
        lines = self.content.replace("\\\n", " ").splitlines()
        return "\n".join(f"{line} {options}" if line.startswith("canarygan ") else line for line in lines)


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page."""
    for found in FENCE.finditer(page.read_text(encoding="utf-8")):
        marks = dict(re.findall(r"<!-- ([\w ]+): ([^>]+) -->", found["marks"]))
        assert marks.keys() <= MARKS, f"{page.name} has a mark that is none of {', '.join(sorted(MARKS))}: {marks}"
        assert len(marks) == found["marks"].count("\n"), f"{page.name} has a mark without a value: {found['marks']}"
        yield Block(found["language"], found["content"], marks)


def perform(page: Path, folder: Path) -> None:
    """Run the blocks of a page in a folder, and write its files there; the repository's examples are at hand."""
    env = environment(folder)
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns(".*", "__pycache__"))
    for block in blocks(page):
        if "file" in block.marks:
            path = folder / block.marks["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.content, encoding="utf-8")
        if not block.possible:
            continue
        if block.language == "bash" and block.script:
            run(block.script, folder, env)
        elif block.language == "console" and "not run" not in block.marks:
            converse(block, folder, env)


def converse(block: Block, folder: Path, env: dict[str, str]) -> None:
    """Run what follows `$ `, and find the lines below it, in order, in what it prints.

    `...` stands for the rest of a line, or, alone on a line, for any lines.
    """
    for part in re.split(r"^\$ ", block.content, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        command = f"{command} {block.marks.get('with', '')}"
        pattern = re.sub(r"^\\\.\\\.\\\.\\\n", "(?:.*\n)*?", re.escape(expected.strip()), flags=re.MULTILINE)
        printed = run(command, folder, env)
        assert re.search(pattern.replace(r"\.\.\.", ".*"), printed), f"{command} prints\n{printed}"


def environment(folder: Path) -> dict[str, str]:
    """The commands of this Python first on the path, a cache of its own, and a `pip` that leaves this Python alone."""
    pip, site = folder / ".bin" / "pip", folder / ".site"
    pip.parent.mkdir()
    site.mkdir()
    told = f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r}); from documents import link"
    pip.write_text(f"#!{sys.executable}\n{told}; link(sys.argv[1:], {str(site)!r})\n", encoding="utf-8")
    pip.chmod(0o755)
    path = os.pathsep.join([str(pip.parent), str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    own = {"PATH": path, "PYTHONPATH": str(site), "CANARYGAN_CACHE": str(folder / "cache"), "NO_COLOR": "1"}
    return {**os.environ, **own, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def run(command: str, folder: Path, env: dict[str, str]) -> str:
    """What bash prints, and nothing but an `AssertionError` where it fails."""
    done = subprocess.run(["bash", "-euc", command], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def link(words: Sequence[str], site: str) -> None:
    """`pip install` of folders into a site folder by links, as an editable installation has it; no network."""
    assert words[0] == "install", words
    for folder in (Path(word).resolve() for word in words[1:] if word not in ("-e", "-q")):
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        ((point, module),) = project["entry-points"]["canarygan"].items()
        info = Path(site) / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.4", f"Name: {project['name']}", f"Version: {project['version']}"]
        lines += [f"Requires-Dist: {requirement}" for requirement in project["dependencies"]]
        (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[canarygan]\n{point} = {module}\n", encoding="utf-8")
        source = next(path for path in (folder / "src" / module, folder / f"{module}.py") if path.exists())
        (Path(site) / source.name).symlink_to(source)


def parse(block: Block) -> None:
    """Raise where a block is not what its language says."""
    if block.language == "python":
        ast.parse(block.content)
    elif block.language == "toml":
        tomllib.loads(block.content)
    elif block.language == "bash":
        checked = subprocess.run(["bash", "-n", "-c", block.content], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
