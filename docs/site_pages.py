"""A hook of mkdocs: what pages link to outside of docs/ comes along, and README.md is the first page.

So one link serves the repository and the site: `../benchmarks/results/finch-small.md` is a path from the page's file.
Whatever is linked lies in the site under its path in the repository, pages of docs/ at the top.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
FIRST = "index.md"
LINK = re.compile(r"\]\((?!\w+:|#)([^)\s#]+)((?:#[^)\s]*)?)\)")
FENCE = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take along the README, and all that a page links to, and that links to in turn."""
    waiting = [ROOT / "README.md", *(ROOT / "docs" / file.src_uri for file in files.documentation_pages())]
    while waiting:
        path = waiting.pop()
        uri = place(path)
        if files.get_file_from_path(uri) is None:
            files.append(File.generated(config, uri, abs_src_path=str(path)))
        if path.suffix == ".md":
            linked = [target for target in targets(path) if target.is_file()]
            waiting += [target for target in linked if files.get_file_from_path(place(target)) is None]
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to where their targets lie in the site; folders have no page, so their names stay without link."""
    source = Path(page.file.abs_src_path or ROOT / "docs" / page.file.src_uri)

    def moved(found: re.Match[str]) -> str:
        target = (source.parent / found[1]).resolve()
        if not target.is_file():
            return found[0]
        return f"]({os.path.relpath(place(target), Path(page.file.src_uri).parent)}{found[2]})"

    parts = FENCE.split(markdown)
    parts[::2] = [LINK.sub(moved, without_folders(part, source)) for part in parts[::2]]
    return "".join(parts)


def without_folders(prose: str, source: Path) -> str:
    """Prose whose links to folders are no links."""
    named = re.compile(r"(?<!!)\[([^\]]*)\]\((?!\w+:|#)([^)\s#]+)\)")
    return named.sub(lambda found: found[1] if (source.parent / found[2]).is_dir() else found[0], prose)


def targets(page: Path) -> Iterator[Path]:
    """What a page links to in the repository."""
    for part in FENCE.split(page.read_text(encoding="utf-8"))[::2]:
        for found in LINK.finditer(part):
            yield (page.parent / found[1]).resolve()


def place(path: Path) -> str:
    """Where a file of the repository lies in the site's sources."""
    uri = path.relative_to(ROOT).as_posix()
    return FIRST if uri == "README.md" else uri.removeprefix("docs/")
