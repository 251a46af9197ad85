"""agreement: what listeners said, from their sheets to numbers and a figure."""

import json

import numpy as np
import pytest
from canarygan_latents.stimuli.kappa import compute_cohen

from canarygan_core.cli import main
from canarygan_core.evaluation.accuracy import compute_interval


@pytest.fixture
def listened(tmp_path):
    """A key of twenty stimuli, and three sheets: of one who knows all, one who errs, and one who left gaps."""
    labels = [("A", "b")[number % 2] for number in range(20)]
    key = [f"{number}.wav,x,{'yes' if number < 8 else 'no'},{label}" for number, label in enumerate(labels)]
    (tmp_path / "key.csv").write_text("\n".join(["file,name,is_real,label", *key]))
    erring = ["b" if number % 5 == 0 else label for number, label in enumerate(labels)]
    sheets = {
        "ana": [
            f"{number},{number}.wav,{label},{'yes' if number < 8 else 'no'},5" for number, label in enumerate(labels)
        ],
        "ben": [f"{number},{number}.wav,{label},yes," for number, label in enumerate(erring)],
        "cyd": [f"{number};{number}.wav;{label.upper()};;0,5" for number, label in enumerate(labels) if number % 4],
    }
    for name, rows in sheets.items():
        head = "trial,file,label,is_real,confidence"
        head = head.replace(",", ";") if name == "cyd" else head
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *rows]))
    return tmp_path, labels, erring


def run(folder, *words):
    sheets = [str(folder / f"{name}.csv") for name in ("ana", "ben", "cyd")]
    return main.main(["agreement", *sheets, "--key", str(folder / "key.csv"), "-s", str(folder / "out"), *words])


def test_sheets_are_compared_with_the_key_and_with_each_other(listened, capsys):
    folder, labels, erring = listened
    assert run(folder) == 0
    told = capsys.readouterr().out
    result = json.loads((folder / "out" / "agreement.json").read_text())
    ana, ben, cyd = (result["listeners"][name] for name in ("ana", "ben", "cyd"))
    assert (ana["with_key"]["all"]["kappa"], cyd["with_key"]["all"]["kappa"]) == (1, 1)
    assert cyd["with_key"]["all"]["trials"] == 15
    assert ben["with_key"]["all"]["kappa"] == pytest.approx(compute_cohen(labels, erring).value)
    assert ben["with_key"]["real"]["trials"] == 8
    assert (ana["confidence"], ben["confidence"], cyd["confidence"]) == (5, None, 0.5)
    shared = [number for number in range(20) if number % 4]
    pairs = {tuple(one["listeners"]): one for one in result["pairs"]}
    wanted = compute_cohen([erring[one] for one in shared], [labels[one] for one in shared])
    assert pairs["ben", "cyd"]["kappa"] == pytest.approx(wanted.value)
    assert pairs["ana", "ben"]["trials"] == 20
    assert result["fleiss"]["trials"] == 15
    assert result["called_real"]["generated"]["share"] == 12 / 24
    assert result["called_real"]["generated"]["interval_95"] == pytest.approx(compute_interval(12, 24))
    assert ana["called_real"]["real"]["share"] == 1
    assert cyd["called_real"]["real"] is None
    assert "Called real, of generated stimuli: 0.50, 95 % from 0.31 to 0.69 (12 of 24)" in told
    assert "ana and ben:" in told
    assert np.sum(result["confusion"]["counts"]) == 55
    assert (folder / "out" / "confusion.csv").read_text().splitlines()[:2] == ["key,A,b", "A,23,2"]
    assert (folder / "out" / "confusion.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(json.loads((folder / "out" / "agreement.manifest.json").read_text())["outputs"]) == [
        *("agreement.json", "confusion.csv", "confusion.png"),
    ]


def test_a_label_may_be_called_key(tmp_path):
    (tmp_path / "key.csv").write_text("file,is_real,label\na.wav,no,key\nb.wav,no,A\n")
    (tmp_path / "ana.csv").write_text("file,label\na.wav,key\nb.wav,key\n")
    words = [str(tmp_path / "ana.csv"), "--key", str(tmp_path / "key.csv"), "-s", str(tmp_path / "out")]
    assert main.main(["agreement", *words, "--no-figures"]) == 0
    assert (tmp_path / "out" / "confusion.csv").read_text().splitlines() == ["key,A,key", "A,0,1", "key,0,1"]


def test_results_that_are_there_stay(listened, capsys):
    folder, *_ = listened
    assert run(folder, "--no-figures") == 0
    assert not (folder / "out" / "confusion.png").exists()
    assert run(folder, "--no-figures") == 1
    assert "is there already" in capsys.readouterr().err
    assert run(folder, "--no-figures", "--overwrite") == 0


def test_an_error_names_the_sheet_and_the_row_and_leaves_nothing(listened, capsys):
    folder, *_ = listened
    with open(folder / "ben.csv", "a") as stream:
        stream.write("\n20,21.wav,A,yes,\n")
    assert run(folder) == 1
    assert "ben.csv, row 22: '21.wav' is not in the key." in capsys.readouterr().err
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("gone", "given", "told"),
    [
        ("ben.csv", "bne.csv", "There is no sheet at {0}. Did you mean {1}?"),
        ("ben.csv", "", "There is no sheet at {0}. Give a copy of scores.csv that a listener filled in."),
        ("key.csv", "keys.csv", "There is no key at {0}. Did you mean {1}?"),
        ("key.csv", "", "There is no key at {0}. Give the key.csv that morph, grid or select wrote."),
    ],
)
def test_a_sheet_or_a_key_that_is_not_there_is_told_with_what_to_give(listened, capsys, gone, given, told):
    folder, *_ = listened
    if given:
        (folder / gone).rename(folder / given)
    else:
        (folder / gone).unlink()
    assert run(folder) == 1
    assert told.format(folder / gone, given) in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_without_sheets_or_labels(tmp_path, capsys):
    (tmp_path / "key.csv").write_text("file,is_real,label\na.wav,no,\nb.wav,yes,\n")
    assert main.main(["agreement", "--key", str(tmp_path / "key.csv")]) == 2
    assert "Give the sheets that listeners filled in" in capsys.readouterr().err
    (tmp_path / "ana.csv").write_text("file,is_real\na.wav,yes\nb.wav,yes\n")
    words = ["agreement", str(tmp_path / "ana.csv"), "--key", str(tmp_path / "key.csv"), "-s", str(tmp_path / "out")]
    assert main.main(words) == 0
    told = capsys.readouterr().out
    assert "ana: no trial has a label of both" in told
    assert "Called real, of real stimuli: 1.00" in told
    assert not (tmp_path / "out" / "confusion.csv").exists()


def test_a_label_that_the_key_does_not_have_is_told(listened, capsys):
    folder, *_ = listened
    with open(folder / "ben.csv", "a") as stream:
        stream.write("\n20,1.wav,AA,yes,\n")
    assert run(folder, "--no-figures") == 0
    assert "ben: the key has no label 'AA'. Did you mean A? It counts as another class." in capsys.readouterr().err


def test_the_key_is_no_sheet_and_a_sheet_is_no_key(listened, capsys):
    folder, *_ = listened
    sheet, key = str(folder / "ana.csv"), str(folder / "key.csv")
    assert main.main(["agreement", sheet, key, "--key", key, "-s", str(folder / "out")]) == 2
    assert "key.csv was given as the key and as a sheet" in capsys.readouterr().err
    assert main.main(["agreement", sheet, "--key", str(folder / "cyd.csv"), "-s", str(folder / "out")]) == 1
    assert "cyd.csv has trials, as a scoring sheet has: give the key.csv" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_every_key_of_the_result_is_documented(listened):
    docs = pytest.importorskip("documents")
    folder, *_ = listened
    assert run(folder, "--no-figures") == 0

    def keys(value):
        if isinstance(value, dict):
            return {*value} | {key for inside in value.values() for key in keys(inside)}
        return {key for inside in value for key in keys(inside)} if isinstance(value, list) else set()

    found = keys(json.loads((folder / "out" / "agreement.json").read_text())) - {"ana", "ben", "cyd", "A", "b"}
    assert "interval_95" in found
    assert not {key for key in found if f"`{key}`" not in docs.section("formats.md", "Stimuli")}
