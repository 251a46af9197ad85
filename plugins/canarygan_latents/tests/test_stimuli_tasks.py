"""morph, grid and select from the command line to the files."""

import csv
import json
from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import soundfile
from canarygan_latents import opening
from canarygan_latents.inversion import inverting
from canarygan_latents.tasks.select import _name
from stimulus_toys import EDGES, RATE, Tones

from canarygan_core import audio
from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.runs import files


def read_csv(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def check_stimuli(folder, repeats=1, *, sheet=False):
    """What holds of any set of stimuli; gives the rows of its key."""
    key = {row["file"]: row for row in read_csv(folder / "key.csv")}
    trials, scores = (read_csv(folder / "playback" / name) for name in ("trials.csv", "scores.csv"))
    waves = sorted(path.name for path in (folder / "playback").glob("*.wav"))
    assert sorted(key) == waves
    assert Counter(row["file"] for row in trials) == dict.fromkeys(waves, repeats)
    assert [(row["trial"], row["file"]) for row in trials] == [(row["trial"], row["file"]) for row in scores]
    assert list(scores[0]) == ["trial", "file", "label", "is_real", "confidence"]
    levels = []
    for wave in waves:
        sound, rate = soundfile.read(folder / "playback" / wave)
        assert (sound[0], sound[-1]) == (0, 0)
        onset, offset = audio.find_extent(sound[None], rate, below=30, background=None)
        levels.append(10 * np.log10(np.mean(np.square(sound[onset[0] : offset[0]]))))
    assert np.ptp(levels) < 0.5
    record = json.loads((folder / "stimuli.manifest.json").read_text())
    assert record["status"] == "finished"
    wanted = [
        "key.csv",
        "stimuli.npz",
        *(["stimuli.png"] if sheet else []),
        *(f"playback/{name}" for name in ("scores.csv", "trials.csv", *waves)),
    ]
    assert sorted(record["outputs"]) == sorted(wanted)
    assert main.main(["verify", str(folder)]) == 0
    return list(key.values())


def test_a_morph_of_a_network(checkpoint, tmp_path, capsys):
    out = tmp_path / "stimuli"
    words = ["morph", "-x", str(checkpoint), "-s", str(out), "--repeats", "3"]
    assert main.main([*words, "--from", "-0.5,0.1,0.2", "--to", "0.6,-0.4,0.9", "-n", "7"]) == 0
    assert "a ratio of 1." in capsys.readouterr().out
    rows = check_stimuli(out, repeats=3, sheet=True)
    assert [row["name"] for row in rows] == [f"bridge_1-step_{step}" for step in range(1, 8)]
    steps = [float(row["distance"]) for row in rows[1:]]
    assert max(steps) / min(steps) <= 1.2
    content = archives.read(out / "stimuli.npz", archives.GENERATION)
    np.testing.assert_array_equal(content["z"][[0, -1]], np.float32([[-0.5, 0.1, 0.2], [0.6, -0.4, 0.9]]))
    np.testing.assert_array_equal(np.float32([[row[f"z{one}"] for one in (1, 2, 3)] for row in rows]), content["z"])
    again = tmp_path / "again"
    assert main.main(["generate", "-x", str(checkpoint), "-z", str(out / "stimuli.npz"), "-s", str(again)]) == 0
    (made,) = again.glob("*.npz")
    np.testing.assert_allclose(archives.read(made)["x"], content["x"], atol=1e-3)


def test_a_bridge_between_two_sounds(tones, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(inverting, "Search", partial(inverting.Search, candidates=300, starts=2, steps=30))
    latents = np.float32([[-0.7, 0.3, 0.4], [0.5, -0.6, 0.1]])
    for name, sound in zip("ab", Tones().generate(latents), strict=True):
        audio.write(tmp_path / f"{name}.wav", sound, RATE)
    ends = ["--from", str(tmp_path / "a.wav"), "--to", str(tmp_path / "b.wav")]
    assert main.main(["morph", *tones[0], *ends, "-n", "2", "-s", str(tmp_path / "out")]) == 0
    assert "a.wav: the nearest latent is" in capsys.readouterr().err
    z = archives.read(tmp_path / "out" / "stimuli.npz")["z"]
    np.testing.assert_allclose(z[:, 0], latents[:, 0], atol=0.02)


def test_equal_seeds_give_equal_bytes(tones, tmp_path):
    model, _ = tones
    for name, seed in (("one", 4), ("two", 4), ("three", 5)):
        words = ["--from", "-0.9,0,0", "--to", "0.9,0,0", "--seed", str(seed), "-s", str(tmp_path / name)]
        assert main.main(["morph", *model, *words, "-n", "4"]) == 0
    one, two, three = (
        {
            str(path.relative_to(tmp_path / name)): path.read_bytes()
            for path in sorted((tmp_path / name).rglob("*.*"))
            if "manifest" not in path.name
        }
        for name in ("one", "two", "three")
    )
    assert one == two
    assert set(one) != set(three)


def test_names_and_order_are_those_of_the_checkpoint_too(tones, tmp_path, monkeypatch):
    keys, orders = [], []
    for name, weights in (("one", "{}"), ("two", "other")):
        opening.open_generator("", "").checkpoint.write_text(weights)
        opened = replace(opening.open_generator("", ""), digest=files.compute_digest(tmp_path / "weights"))
        monkeypatch.setattr(opening, "open_generator", lambda path, device, opened=opened: opened)
        assert main.main(["grid", *tones[0], "-n", "2", "-s", str(tmp_path / name)]) == 0
        named = {row["file"]: row["name"] for row in read_csv(tmp_path / name / "key.csv")}
        keys.append({*named})
        orders.append([named[row["file"]] for row in read_csv(tmp_path / name / "playback" / "trials.csv")])
    assert not keys[0] & keys[1]
    assert orders[0] != orders[1]


def test_names_are_those_of_what_is_played_too(tones, tmp_path, data, capsys):
    walk = ["grid", *tones[0], "--axis", "1", "-n", "3"]
    real = ["-d", str(data), "--max-length", "0.2", "--real", "2"]
    played = {"walk": [], "other-latents": ["--at", "0,0.5,0"], "other-clips": real}
    for name, words in played.items():
        assert main.main([*walk, *words, "-s", str(tmp_path / name)]) == 0
    files = [{row["file"] for row in read_csv(tmp_path / name / "key.csv")} for name in played]
    assert len(set.union(*files)) == 3 + 3 + 5
    again = [*walk, "--bits", "32", "--repeats", "2", "-s", str(tmp_path / "again")]
    assert main.main(again) == 0, "how they are played changes no name"
    assert {row["file"] for row in read_csv(tmp_path / "again" / "key.csv")} == files[0]
    sheet = tmp_path / "walk" / "playback" / "scores.csv"
    words = ["agreement", str(sheet), "--key", str(tmp_path / "other-latents" / "key.csv"), "-s", str(tmp_path / "out")]
    assert main.main(words) == 1
    assert "is not in the key. Give the key of these stimuli." in capsys.readouterr().err


def test_several_bridges_between_labels_rows_and_latents(tones, tmp_path):
    model, decoder = tones
    np.save(tmp_path / "z.npy", np.float32([[0, 0, 0], [0.8, 0.1, 0.2]]))
    (tmp_path / "pairs.csv").write_text(f'from,to\nlow,high\n{tmp_path}/z.npy:1,"-0.3,0.2,0.1"\n')
    out = tmp_path / "stimuli"
    words = ["--pairs", str(tmp_path / "pairs.csv"), "-n", "5", "--steps", "linear"]
    assert main.main(["morph", *model, *decoder, *words, "-s", str(out)]) == 0
    rows = check_stimuli(out)
    assert [(row["bridge"], row["step"]) for row in rows] == [(str(b), str(s)) for b in (1, 2) for s in range(1, 6)]
    assert (rows[0]["label"], rows[4]["label"]) == ("low", "high")
    z = archives.read(out / "stimuli.npz")["z"]
    np.testing.assert_array_equal(z[[5, 9]], np.float32([[0.8, 0.1, 0.2], [-0.3, 0.2, 0.1]]))
    np.testing.assert_allclose(z[7], (z[5] + z[9]) / 2, atol=1e-6)
    inputs = json.loads((out / "stimuli.manifest.json").read_text())["inputs"]
    assert {*inputs} == {"generator", "decoder pitch", f"latents {tmp_path}/z.npy", "pairs"}


def test_a_walk_and_a_grid(tones, tmp_path):
    model, decoder = tones
    assert main.main(["grid", *model, "--axis", "2", "-n", "4", "--at", "0.5,0,0.1", "-s", str(tmp_path / "walk")]) == 0
    rows = check_stimuli(tmp_path / "walk")
    z = archives.read(tmp_path / "walk" / "stimuli.npz")["z"]
    np.testing.assert_allclose(z[:, 1], [-1, -1 / 3, 1 / 3, 1], rtol=1e-6)
    np.testing.assert_allclose(z[:, [0, 2]], [[0.5, 0.1]] * 4)
    assert [row["name"] for row in rows] == ["z2_1", "z2_2", "z2_3", "z2_4"]
    assert main.main(["grid", *model, *decoder, "-n", "3", "--no-blind", "-s", str(tmp_path / "grid")]) == 0
    rows = check_stimuli(tmp_path / "grid")
    assert len(rows) == 27
    assert (tmp_path / "grid" / "playback" / "z1_1-z2_3-z3_2.wav").is_file()
    assert {row["label"] for row in rows if row["step1"] == "3"} <= {"high", "X"}


def test_renditions_with_real_clips_among_them(tones, tmp_path, data):
    model, decoder = tones
    out = tmp_path / "stimuli"
    words = ["--label", "low", "--label", "high", "-n", "6", "-d", str(data), "--max-length", "0.2", "--real", "5"]
    assert main.main(["select", *model, *decoder, *words, "-s", str(out), "--bits", "32", "--silence", "400"]) == 0
    rows = check_stimuli(out)
    assert Counter((row["label"], row["is_real"]) for row in rows) == {
        ("low", "no"): 6,
        ("high", "no"): 6,
        ("high", "yes"): 3,
        ("low", "yes"): 2,
    }
    for row in rows:
        if row["is_real"] == "no":
            low, high = EDGES[row["label"]]
            assert low < float(row["z1"]) < high
            assert float(row["posterior"]) >= 0.9
        else:
            assert row["source"].startswith(row["label"])
            assert row["z1"] == row["posterior"] == ""
    assert len(archives.read(out / "stimuli.npz")["x"]) == 12
    assert json.loads((out / "stimuli.manifest.json").read_text())["dataset"]["dataset"] == "folder"
    assert soundfile.info(out / "playback" / rows[0]["file"]).subtype == "FLOAT"


def test_a_single_rendition_is_apart_from_none(tones, tmp_path, capsys):
    model, decoder = tones
    assert main.main(["select", *model, *decoder, "--label", "low", "-n", "1", "-s", str(tmp_path / "one")]) == 0
    assert "apart" not in capsys.readouterr().out
    assert "Infinity" not in (text := (tmp_path / "one" / "stimuli.manifest.json").read_text())
    assert json.loads(text)["result"]["labels"][0]["apart"] is None


def test_a_label_may_be_called_as_real_clips_are(tones, tmp_path, data, monkeypatch):
    model, decoder = tones
    monkeypatch.setattr("canarygan_latents.tasks.select._name", lambda labels: ["real_clip"])
    words = ["--label", "low", "-n", "2", "-d", str(data), "--max-length", "0.2", "--real", "2", "--no-blind"]
    assert main.main(["select", *model, *decoder, *words, "-s", str(tmp_path / "out")]) == 0
    rows = check_stimuli(tmp_path / "out")
    assert [row["file"] for row in rows] == [f"real_clip_{one}.wav" for one in ("1", "2", "1-2", "2-2")]


def test_each_listener_gets_an_order_of_their_own(tones, tmp_path):
    model, _ = tones
    assert main.main(["grid", *model, "-n", "2", "--listeners", "3", "--repeats", "2", "-s", str(tmp_path)]) == 0
    orders = [[row["file"] for row in read_csv(tmp_path / "playback" / f"trials-{one}.csv")] for one in (1, 2, 3)]
    assert len({tuple(order) for order in orders}) == 3
    for number, order in enumerate(orders, 1):
        assert Counter(order) == dict.fromkeys(orders[0], 2)
        assert [row["file"] for row in read_csv(tmp_path / "playback" / f"scores-{number}.csv")] == order


def test_stimuli_that_are_there_stay_unless_they_may_be_replaced(tones, tmp_path, capsys):
    model, decoder = tones
    out = tmp_path / "stimuli"
    words = ["select", *model, *decoder, "-n", "3", "-s", str(out)]
    assert main.main([*words, "--label", "low"]) == 0
    before = {path: path.read_bytes() for path in out.rglob("*.*")}
    assert main.main([*words, "--label", "high"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert main.main([*words, "--label", "high", "--overwrite", "--posterior", "1", "--tries", "300"]) == 1
    assert {path: path.read_bytes() for path in out.rglob("*.*")} == before
    assert main.main([*words, "--label", "high", "--overwrite"]) == 0
    assert {row["label"] for row in check_stimuli(out)} == {"high"}


def test_rate_is_that_of_the_model(tones, tmp_path):
    model, _ = tones
    assert main.main(["grid", *model, "--axis", "1", "-n", "2", "-s", str(tmp_path / "walk")]) == 0
    (first, _) = (tmp_path / "walk" / "playback").glob("*.wav")
    assert soundfile.info(first).samplerate == RATE


def test_every_column_that_is_written_is_documented(tones, tmp_path, data):
    docs = pytest.importorskip("documents")
    told = docs.section("formats.md", "Stimuli")
    model, decoder = tones
    assert (
        main.main(
            ["morph", *model, *decoder, "--from", "0,0,0", "--to", "0.9,0,0", "-n", "3", "-s", str(tmp_path / "morph")]
        )
        == 0
    )
    assert main.main(["grid", *model, "-n", "2", "-s", str(tmp_path / "grid")]) == 0
    real = ["-d", str(data), "--real", "4"]
    assert (
        main.main(["select", *model, *decoder, "--label", "low", "-n", "2", *real, "-s", str(tmp_path / "select")]) == 0
    )
    tables = [path for folder in ("morph", "grid", "select") for path in (tmp_path / folder).rglob("*.csv")]
    found = {column for path in tables for column in read_csv(path)[0]}
    for folder in ("morph", "grid", "select"):
        result = json.loads((tmp_path / folder / "stimuli.manifest.json").read_text())["result"]
        found |= {*result, *(key for part in ("bridges", "labels") for one in result.get(part, []) for key in one)}
        found |= {*archives.read(tmp_path / folder / "stimuli.npz")}
    assert {"distance", "step2", "apart", "posterior"} <= found
    assert not {column for column in found - {"z3", "step3"} if f"`{column}`" not in told}


def test_names_of_files_are_distinct_whatever_the_labels():
    assert _name(["a", "b c"]) == ["a", "b_c"]
    assert _name(["b c", "b_c", "B/C"]) == ["b_c-1", "b_c-2", "B_C-3"]
    assert _name(["\u3042" * 300, "\u3042" * 299]) == ["\u3042" * 40 + "-1", "\u3042" * 40 + "-2"]


def test_a_picture_of_before_does_not_stay(tones, tmp_path):
    words = ["grid", *tones[0], "--axis", "1", "-n", "2", "-s", str(tmp_path / "walk")]
    assert main.main([word for word in words if word != "--no-sheet"]) == 0
    assert (tmp_path / "walk" / "stimuli.png").read_bytes().startswith(b"\x89PNG")
    assert main.main([*words, "--overwrite"]) == 0
    assert not (tmp_path / "walk" / "stimuli.png").exists()
