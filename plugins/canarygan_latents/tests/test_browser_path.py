"""The path of an atlas in a browser: its points, its sounds and its files."""

import csv
import itertools
import json
import wave
from pathlib import Path

import numpy as np
from atlas_pages import RATE, SAMPLES, press, state, whereabouts
from canarygan_latents.atlas import page
from canarygan_report.browser.testing import Tab

from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.runs import tables


def test_a_path_of_five_points_is_saved_and_made_again_by_generate(
    opened: Tab, checkpoint: Path, tmp_path: Path
) -> None:
    press(opened, "Add to path")
    for x, y in ((-0.8, -0.8), (0.7, -0.6), (0.2, 0.1), (-0.5, 0.9), (0.9, 0.9)):
        opened.mouse.click(*whereabouts(opened, [x, y, 0]))
    assert len(state(opened, "path")) == 5
    opened.page.get_by_label("Steps from point to point").fill("3")
    opened.page.get_by_label("Silence between steps").fill("25")
    opened.page.get_by_label("Silence between steps").press("Tab")
    files = {}
    for name in ("Save WAV", "Save latents (CSV)", "Save latents (npy)"):
        with opened.page.expect_download() as waited:
            press(opened, name)
        path = tmp_path / waited.value.suggested_filename
        waited.value.save_as(path)
        files[path.suffix] = path
    recording, rate = read_wave(files[".wav"])
    steps, gap = 4 * 3 + 1, 400
    assert rate == RATE
    assert len(recording) == steps * SAMPLES + (steps - 1) * gap
    rows = list(csv.DictReader(files[".csv"].read_text().splitlines()))
    z = np.array([[row[f"z{axis}"] for axis in (1, 2, 3)] for row in rows], np.float32)
    np.testing.assert_array_equal(z, np.load(files[".npy"]))
    np.testing.assert_array_equal(z[::3], np.array(state(opened, "path"), np.float32))
    np.testing.assert_allclose(np.diff(z[:4], axis=0), np.diff(z[:2], axis=0).repeat(3, 0), atol=1e-6)
    assert main.main(["generate", "-x", str(checkpoint), "-z", str(files[".npy"]), "-s", str(tmp_path), "-q"]) == 0
    wanted = archives.read(next(tmp_path.glob("*.npz")))["x"]
    for row, sound in zip(rows, wanted, strict=True):
        np.testing.assert_allclose(recording[int(row["start"]) : int(row["end"])], sound, atol=1e-3)
    silence = [recording[int(one["end"]) : int(two["start"])] for one, two in itertools.pairwise(rows)]
    assert not np.concatenate(silence).any()
    assert opened.complaints == []


def read_wave(path: Path) -> tuple[np.ndarray, int]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768, file.getframerate()


CELLS = ["A", "", "a,b", 'a "b"', "=1+1", "-a", "'=x", "''@x", "'a", "a\rb", "\rb", "\n", "\t=1", "+1,2"]


def test_cells_of_a_table_are_those_of_the_system(tab: Tab) -> None:
    source = Path(page.__file__).parents[1].joinpath("browser", "path.js").read_text()
    sounds, spans = [{"z": [-0.5, 2]}] * len(CELLS), [[0, 4]] * len(CELLS)
    made = tab.run(f"(() => {{ {source}; return encodeTable({json.dumps(sounds)}, {spans}, {json.dumps(CELLS)}); }})()")
    rows = [
        {"step": step, "start": 0, "end": 4, "label": cell, "z1": -0.5, "z2": 2} for step, cell in enumerate(CELLS, 1)
    ]
    assert made == tables.format_table(rows)
    assert [row["label"] for row in tables.parse_table(made, "it")[1]] == CELLS


def test_a_path_plays_as_a_whole_and_its_points_can_be_moved_and_removed(opened: Tab) -> None:
    press(opened, "Add to path")
    for x in (-0.5, 0.5):
        opened.mouse.click(*whereabouts(opened, [x, 0, 0]))
    press(opened, "Add to path")
    opened.run("window.started.length = 0")
    opened.page.get_by_role("button", name="▶ Play the path").click()
    assert opened.wait_for("window.started.length === 1")
    assert len(opened.run("window.started[0].samples")) == 5 * SAMPLES + 4 * 800
    assert opened.wait_for("window.canarygan.state.cursor[0] > -0.3")
    press(opened, "Stop")
    assert not state(opened, "playing")
    first, second = state(opened, "path")
    opened.page.get_by_role("button", name="Move point 2 forward").click()
    assert state(opened, "path") == [second, first]
    opened.page.get_by_role("button", name="Remove point 1").click()
    assert state(opened, "path") == [first]
    press(opened, "Clear")
    assert state(opened, "path") == []
