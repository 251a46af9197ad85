"""What a page is as a file: no markup of the data's, nothing of the network, and a script that holds."""

import json
import re
from importlib import resources
from pathlib import Path

import pytest
from canarygan_report import browser, page
from report_pages import Markup, shown


def test_names_in_the_data_are_no_markup(made: Path) -> None:
    template = Markup(resources.files("canarygan_report.browser").joinpath("page.html").read_text())
    page_made = Markup(made.read_text(encoding="utf-8"))
    assert page_made.elements == template.elements
    labels = json.loads(page_made.scripts[0])["map"]["labels"]
    assert "</script><script>alert(2)</script><b>" in labels
    assert "<img src=x onerror=alert(1)>" in labels


def test_a_title_is_no_markup() -> None:
    text = page.compose({"title": "</title><script>{{content}}"})
    assert "<title>&lt;/title&gt;&lt;script&gt;{{content}}</title>" in text


def test_a_page_asks_the_network_for_nothing(made: Path) -> None:
    text = made.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    script = Markup(text).scripts[1]
    style = text[text.index("<style>") : text.index("</style>")]
    addresses = set(re.findall(r"https?://[^\"'\s]+", script + style))
    assert addresses == {"http://www.w3.org/2000/svg"}
    for word in ("fetch(", "XMLHttpRequest", "WebSocket", "import(", "@import", "url("):
        assert word not in script + style
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in script


def test_the_script_is_javascript(made: Path) -> None:
    grammar = pytest.importorskip("tree_sitter_javascript", reason="needs tree-sitter-javascript to read the script")
    tree_sitter = pytest.importorskip("tree_sitter")
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    script = Markup(made.read_text(encoding="utf-8")).scripts[1]
    assert not parser.parse(script.encode()).root_node.has_error
    assert parser.parse(script.replace("(", "[", 1).encode()).root_node.has_error


def test_the_script_reads_what_the_content_has(made: Path) -> None:
    content = shown(made)
    script = resources.files("canarygan_report")
    assert set(re.findall(r"\bcontent\.(\w+)", script.joinpath("page.js").read_text())) <= content.keys()
    read = set(re.findall(r"\bdata\.(\w+)", script.joinpath("browser/map.js").read_text()))
    assert {"x", "sound", "labels"} <= read <= content["map"].keys()


def test_every_browser_part_is_read_and_named_in_the_readme() -> None:
    folder = resources.files("canarygan_report.browser")
    assert {file.name for file in folder.iterdir() if file.name.endswith(".js")} == set(browser.SCRIPTS)
    readme = folder.joinpath("README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in (*browser.SCRIPTS, "style.css"))
    assert browser.read_scripts().count("function soundMap(") == 1
    assert "[data-theme" in browser.read_style()
