import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from canarygan_report import browser, material, page, points, records
from canarygan_report.advice import find_missing
from canarygan_report.inputs import Given, Inputs, Notes
from canarygan_report.lineage import Lineage
from canarygan_report.material import Layout

from canarygan_core import audio
from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.datasets.folder import Folder
from canarygan_core.testing import toy_clips

RATE = 16000


class Markup(HTMLParser):
    """The elements of a page, and the text in each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.lasttag == "script" and self.scripts:
            self.scripts[-1] += data


def shown(path: Path) -> dict:
    """The content that stands in a page."""
    return json.loads(Markup(path.read_text(encoding="utf-8")).scripts[0])


@pytest.fixture(scope="module")
def made(toy_run, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    assert main.main(["run", "report", *toy_run.words, "-s", str(folder)]) == 0
    return folder / "version_3.html"


def test_a_page_holds_what_the_run_left(made: Path, toy_run) -> None:
    content = shown(made)
    assert content["missing"] == {}
    assert content["run"]["manifest"]["warnings"][0]["message"] == "Generated sounds are nearly all alike."
    assert content["run"]["command"] == "canarygan train-gan -d 'da ta'"
    assert content["curves"]["step"] == list(range(1, 121))
    assert [series["name"] for series in content["curves"]["series"]] == ["critic/wasserstein"]
    (inception,) = content["inception"]
    assert [(row["epoch"], row["mean"]) for row in inception["rows"]] == [(2, 1.1), (20, 2), (40, 3)]
    assert [line["name"] for line in inception["context"]] == ["real", "noise"]
    assert content["confusion"][0]["counts"] == [[7, 1, 0], [0, 8, 0], [0, 0, 8]]
    assert content["material"]["generated"]["epoch"] == "40"
    assert content["material"]["real"]["clips"] == 24
    assert [one["real"]["clips"] for one in content["spectra"]["classes"] if "real" in one] == [8, 8, 8]


def test_its_manifest_names_what_it_was_made_from(made: Path, toy_run) -> None:
    record = json.loads(made.with_suffix(".manifest.json").read_text())
    assert record["status"] == "finished"
    assert list(record["outputs"]) == ["version_3.html"]
    names = {Path(one["path"]).name for one in record["inputs"].values()}
    assert names == {
        "manifest.json",
        "metrics.csv",
        "real.umap.npz",
        "generation-version_3-epoch_40-step_120.npz",
        "generation-version_3-epoch_40-step_120.umap.npz",
        "is_scores-version_3.yml",
        "scores.json",
        "metrics-knn.npz",
    }


def test_scores_are_read_liberally(made: Path) -> None:
    frechet, kid, odd = shown(made)["scores"][0]["metrics"]
    bare = {"unit": "", "better": "", "null": None}
    assert (frechet["columns"], frechet["rows"]) == (["real"], [{"key": "frechet", "values": [12.5, 1], **bare}])
    assert (frechet["clips"], frechet["null"]) == (None, None)
    assert frechet["warnings"] == ["30 clips are few."]
    assert (kid["error"], kid["rows"]) == ("There is one clip.", [])
    assert odd["rows"] == [{"key": "spread", "values": ["nan"], **bare}]
    assert odd["more"] == {"unheard of": [1, {"of": None}]}


def test_scores_come_with_units_counts_and_what_chance_gives(tmp_path: Path) -> None:
    null = {"score": 2.5, "mean": 1.0, "low": 0.5, "high": 1.5, "p": 0.001, "p_corrected": 0.002, "verdict": "above"}
    record = {
        "options": {},
        "scores": {"duration.distance": 2.0, "generated.clips": 30.0},
        "clips": {"generated": 30, "reference": 24},
        "units": {"duration.distance": "s", "generated.clips": "clips"},
        "better": {"duration.distance": "smaller"},
        "null": {"generated": 12, "reference": 12, "resamplings": 50, "scores": {"duration.distance": null}},
        "context": {"real": {"duration.distance": 1.0}},
    }
    path = tmp_path / "scores.json"
    tests = {"correction": "Holm", "level": 0.05, "tests": 1, "class_tests": 0}
    path.write_text(json.dumps({"metrics": {"acoustics": record}, "tests": tests}))
    read = records.read_scores(path)
    (metric,) = read["metrics"]
    assert read["tests"] == tests
    assert metric["clips"] == record["clips"]
    assert metric["null"] == {"generated": 12, "reference": 12, "resamplings": 50}
    first, second = metric["rows"]
    assert (first["unit"], first["better"], first["null"]) == ("s", "smaller", null)
    assert (second["unit"], second["better"], second["null"]) == ("clips", "", None)
    assert metric["more"] == {}


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


def test_sounds_come_back_from_the_page(made: Path, toy_run) -> None:
    drawn = shown(made)["map"]
    assert (len(drawn["x"]), sum(drawn["real"])) == (54, 24)
    row = drawn["name"].index("sound 4")
    bytes_kept = np.frombuffer(base64.b64decode(drawn["sound"][row]), np.uint8)
    levels = (bytes_kept.astype(float) - 128) / 127
    heard = np.sign(levels) * (256 ** np.abs(levels) - 1) / 255
    start, end = points.find_span(toy_run.sounds[4], 16000)
    assert (start, end) == (321, 1920)
    np.testing.assert_allclose(heard, toy_run.sounds[4][start:end], atol=0.012)
    assert drawn["level"][row] == pytest.approx(-6, abs=0.1)


def test_shares_count_what_a_decoder_rejects(made: Path) -> None:
    shares = shown(made)["shares"]
    sides = {side["name"]: dict(zip(shares["classes"], side["counts"], strict=True)) for side in shares["sides"]}
    assert list(sides) == ["real clips", "cluster on the map", "knn"]
    assert shares["classes"][-1] == "X"
    assert sides["real clips"]["A"] == 8
    assert sides["cluster on the map"]["A"] == 12
    assert (sides["knn"]["X"], sides["knn"]["A"]) == (7, 5)


def test_shares_say_how_many_are_sure_and_agreed_upon(toy_run, tmp_path: Path) -> None:
    from canarygan_report import material

    labels = {"esn": ["a", "a", "X"], "knn": ["a", "b", "X"]}
    path = tmp_path / "sounds.npz"
    with archives.writing(path, 0) as archive:
        archive.add("x", np.ones((3, 100), np.float32))
        archive.add("rate", np.asarray(16000))
        for name, given in labels.items():
            archive.add(f"y_{name}", np.array(["a", "a", "b"]))
            archive.add(f"label_{name}", np.array(given))
        archive.add("label", np.array(["a", "a", "X"]))
        archive.add("agreement", np.array([1.0, 0.5, 1.0]))
    generated = material.read_generated(path)
    assert list(generated.labels) == ["all decoders together", "esn", "knn"]
    assert generated.labels["knn"].tolist() == ["a", "b", "X"]
    assert generated.consensus == "2 of 3 sounds are sure, the others X; esn, knn all agree on 1 of these 2."


def test_what_is_missing_is_named_with_what_makes_it(toy_run, tmp_path: Path, capsys) -> None:
    name = "generation-version_3-epoch_2-step_6.npz"
    archive = tmp_path / "alone" / "sounds" / name
    archive.parent.mkdir(parents=True)
    archive.write_bytes((toy_run.folder / "generated" / name).read_bytes())
    assert main.main(["report", "-g", str(archive), "-s", str(tmp_path)]) == 0
    content = shown(tmp_path / "version_3.html")
    assert set(content["missing"]) == {"run", "curves", "inception", "scores", "confusion", "map"}
    assert content["map"]["kind"] == "latents"
    said = capsys.readouterr().out
    assert "Not in it: No map found.\n" in said
    assert f"\n  canarygan umap -d DATA -g {archive}\n" in said
    assert main.main(["report", "-x", str(toy_run.folder / "runs"), "-s", str(tmp_path / "run")]) == 0
    content = shown(tmp_path / "run" / "version_3.html")
    assert content["material"]["real"]["clips"] == 24
    assert set(content["missing"]) == {"inception", "scores", "confusion", "shares", "map"}
    assert content["map"] is None


def test_advice_filters_clips_as_those_of_the_run_are() -> None:
    filtered = Folder(Path("bird"), highpass=500.0, channel=2)
    origin = {"path": "bird", **filtered.origin}
    nothing = {
        "run": None,
        "version": None,
        "generated": None,
        "given": SimpleNamespace(generated=None),
        "lineage": Lineage(),
    }
    inputs: Any = SimpleNamespace(real=replace(toy_clips(2), origin=origin), dataset=filtered, **nothing)
    names = ("run", "curves", "inception", "scores", "confusion", "shares", "map", "spectra")
    missing = find_missing(inputs, dict.fromkeys(names))
    assert missing["map"]["commands"][-1].endswith("umap -d bird --highpass 500 --channel 2 -g generated")


def test_a_map_of_other_sounds_is_not_shown(toy_run, tmp_path: Path, capsys) -> None:
    name, other = "generation-version_3-epoch_2-step_6", "generation-version_3-epoch_40-step_120"
    sounds_made = toy_run.folder / "generated"
    (tmp_path / f"{name}.npz").write_bytes((sounds_made / f"{name}.npz").read_bytes())
    (tmp_path / f"{name}.umap.npz").write_bytes((sounds_made / f"{other}.umap.npz").read_bytes())
    assert main.main(["report", "-g", str(tmp_path / f"{name}.npz"), "-s", str(tmp_path / "out")]) == 0
    assert "is the map of other sounds" in " ".join(capsys.readouterr().err.split())
    assert "map" in shown(tmp_path / "out" / "version_3.html")["missing"]


def test_sounds_and_maps_that_are_not_of_the_run_are_said(toy_run, tmp_path: Path, caplog) -> None:
    sounds_made = toy_clips(6, samples=2000).audio.copy()
    sounds_made[:2] = np.nan
    np.savez(tmp_path / "made.npz", x=sounds_made, rate=16000, version="3", checkpoint="sha256:0")
    words = [
        "report",
        "-x",
        str(toy_run.folder / "runs"),
        "-g",
        str(tmp_path / "made.npz"),
        "-s",
        str(tmp_path / "out"),
    ]
    assert main.main([*words, "--umap", str(toy_run.folder / "umap")]) == 0
    assert "made.npz was made by none of this run's checkpoints" in caplog.text
    assert "2 of 6 sounds in made.npz are silent or not finite" in caplog.text
    assert "There is no map of made.npz in --umap" in caplog.text


def test_a_map_of_other_real_clips_is_said(toy_run, tmp_path: Path, caplog) -> None:
    other = tmp_path / "data" / "B" / "new.wav"
    audio.write(other, toy_clips(1, samples=2000).audio[0], 16000)
    words = [
        "report",
        "-d",
        str(tmp_path / "data"),
        "--umap",
        str(toy_run.folder / "umap"),
        "-s",
        str(tmp_path / "out"),
    ]
    assert main.main(words) == 0
    assert "The map is of other real clips than the page" in caplog.text


def test_the_draw_follows_the_seed(toy_run, tmp_path: Path) -> None:
    def names(folder: str, seed: int) -> list[str]:
        words = ["report", *toy_run.words, "-s", str(tmp_path / folder), "--points", "10", "--seed", str(seed)]
        assert main.main(words) == 0
        drawn = shown(tmp_path / folder / "version_3.html")["map"]
        assert sum(drawn["real"]) == 5
        return drawn["name"]

    assert names("a", 1) == names("b", 1) != names("c", 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Nothing to report on"),
        (["-x", "{run}/nowhere"], "Cannot find any run in"),
        (["-x", "{run}/data"], "it holds no run yet"),
        (["-d", "{run}/nowhere"], "nowhere"),
        (["-g", "{run}/data"], "canarygan generate makes one"),
        (["-g", "{run}/umap/real.umap.npz"], "holds no sounds: an archive from generate has x"),
        (["--umap", "{run}/data"], "canarygan umap leaves real.umap.npz"),
        (["--scores", "{run}/nowhere"], "There is nothing at --scores"),
        (["--scores", "{run}/data/A/0.wav"], "is none of the files"),
        (["--scores", "{run}/data"], "holds none of the files"),
        (["-g", "{run}/generated", "--points", "0"], "1 to 20000"),
        (["-d", "{run}/data", "-s", "{run}/data/report"], "data folder"),
    ],
)
def test_misuse_is_explained(words: list[str], said: str, toy_run, tmp_path: Path, capsys) -> None:
    words = [word.format(run=toy_run.folder) for word in words]
    words += [] if "-s" in words else ["-s", str(tmp_path / "out")]
    assert main.main(["report", *words]) in (1, 2)
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_page_is_not_replaced_unasked(made: Path, toy_run, capsys) -> None:
    words = ["report", *toy_run.words, "-s", str(made.parent)]
    before = made.read_bytes()
    assert main.main(words) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert made.read_bytes() == before
    assert main.main([*words, "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("reader", "name", "text"),
    [
        (records.read_scores, "scores.json", "[1]"),
        (records.read_scores, "scores.json", "{"),
        (records.read_inception, "is_scores-version_1.yml", "rows: 3"),
        (records.read_inception, "is_scores-version_1.yml", "- [1"),
        (records.read_curves, "metrics.csv", "a,b\n1,2\n"),
        (records.read_confusion, "metrics-a.npz", "no zip"),
    ],
)
def test_what_cannot_be_read_is_noted_and_left_out(reader, name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    notes = Notes()
    assert notes.read(reader, path) is None
    assert str(path) in notes.messages[0]
    assert notes.inputs == {}


def test_a_folder_without_version_gives_its_latest_sounds(tmp_path: Path) -> None:
    for version, epoch in (("1", 5), ("2", 3), ("2", 4)):
        with archives.writing(tmp_path / f"{version}-{epoch}.npz", 0) as archive:
            archive.add("x", np.zeros((1, 4), np.float32))
            archive.add("version", np.asarray(version))
            archive.add("epoch", np.asarray(epoch))
    assert material.read_generated(tmp_path).path.name == "1-5.npz"
    assert material.read_generated(tmp_path, "2").path.name == "2-4.npz"


def test_sounds_on_another_map_are_left_out_and_that_is_said(toy_run, monkeypatch) -> None:
    read = material.read_layout

    def layout(path: Path) -> Layout:
        made = read(path)
        return replace(made, facts={**made.facts, "reducer": path.name})

    monkeypatch.setattr(material, "read_layout", layout)
    notes = Notes()
    given = Given(None, None, (), toy_run.folder / "generated", toy_run.folder / "umap", ())
    inputs = Inputs.find(given, notes)
    assert inputs.generated_map is None
    assert inputs.real_map is not None
    assert any("another map" in note for note in notes.messages)


def test_every_browser_part_is_read_and_named_in_the_readme() -> None:
    folder = resources.files("canarygan_report.browser")
    assert {file.name for file in folder.iterdir() if file.name.endswith(".js")} == set(browser.SCRIPTS)
    readme = folder.joinpath("README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in (*browser.SCRIPTS, "style.css"))
    assert browser.read_scripts().count("function soundMap(") == 1
    assert "[data-theme" in browser.read_style()


def test_the_command_that_makes_a_run_again_starts_it_and_does_not_resume_it():
    from canarygan_report.content import _find_words

    started = {
        "argv": ["train-gan", "-d", "my data", "--version", "x", "--version=y", "--max-epochs", "5"],
        "options": {"training": {"max_epochs": 5, "seed": 0, "dry_run": False}},
    }
    assert _find_words(started) == ["train-gan", "-d", "my data", "--max-epochs", "5"]
    resumed = {
        "argv": ["train-gan", "--resume", "--max-epochs", "9"],
        "options": {"training": {"max_epochs": 9, "seed": 0, "dry_run": False}},
        "history": [started, {"argv": ["train-gan", "--resume"], "options": {}}],
    }
    assert _find_words(resumed) == ["train-gan", "-d", "my data", "--max-epochs", "9"]
    started["argv"] = ["train-gan", "--max_epochs=5", "-c", "2", "--seed", "0"]
    resumed["options"]["training"] |= {"num_workers": 3, "dry_run": True}
    assert _find_words(resumed) == ["train-gan", "-c", "2", "--seed", "0", "--max-epochs", "9"]
    started["argv"] = ["train-gan", "--data_dir", "old", "--seed", "0"]
    started["options"]["dataset"] = {"name": "folder", "options": {"data_dir": "old"}}
    resumed["options"]["dataset"] = {"name": "folder", "options": {"data_dir": "moved"}}
    assert _find_words(resumed) == ["train-gan", "--seed", "0", "--max-epochs", "9", "-d", "moved"]
    assert _find_words({}) == []
