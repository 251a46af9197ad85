"""`report` on all that a run and the tasks after it leave: what is shown, drawn, refused and replaced."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from canarygan_report import points
from report_pages import shown

from canarygan_core.cli import main


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
