"""What a report says of what is missing, and of the commands that make it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from canarygan_report.advice import find_missing
from canarygan_report.lineage import Lineage
from report_pages import shown

from canarygan_core.cli import main
from canarygan_core.datasets.folder import Folder
from canarygan_core.testing import toy_clips


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
