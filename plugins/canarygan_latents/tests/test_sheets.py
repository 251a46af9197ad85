"""Scoring sheets as listeners and their spreadsheets leave them."""

from pathlib import Path

import pytest
from canarygan_latents.stimuli.sheets import find_unknown, name_listeners, read_key, read_sheet

from canarygan_core.errors import CanaryganError

KEY = "file,name,is_real,label\nbcd.wav,a_1,no,A\nfgh.wav,b_1,no,b\njkl.wav,real_1,yes,A\n"


@pytest.fixture
def key(tmp_path):
    (tmp_path / "key.csv").write_text(KEY)
    return read_key(tmp_path / "key.csv")


def read(tmp_path, key, text, encoding="utf-8"):
    (tmp_path / "ana.csv").write_bytes(text.encode(encoding))
    return [
        (one.file, one.time, one.label, one.is_real, one.confidence) for one in read_sheet(tmp_path / "ana.csv", key)
    ]


WANTED = [("bcd.wav", 1, "A", True, 0.5), ("jkl.wav", 1, "b", None, None), ("bcd.wav", 2, "", False, 4)]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (
            "trial,file,label,is_real,confidence\n1,bcd.wav,A,yes,0.5\n2,jkl.wav,b,,\n3,fgh.wav,,,\n4,bcd.wav,,no,4\n",
            "utf-8",
        ),
        (
            "trial;file;label;is_real;confidence\r\n1;bcd.wav;a;JA;0,5\r\n2;jkl.wav;B;;\r\n;;;;\r\n4;bcd.wav;;FALSE;4\r\n",
            "utf-8-sig",
        ),
        ("sep=;\nTrial; File ;Label;Is Real;Confidence\n1; BCD.wav ; A ;Y;0,5\n\n2;jkl;b;;\n4;bcd.wav;;0;4\n", "utf-8"),
        (
            "Trial\tFile\tLabel\tIs_real\tConfidence\n1\tbcd.wav\tA\ttrue\t0.5\n2\tjkl.wav\tb\n4\tbcd.wav\t\tnein\t4\n",
            "utf-16",
        ),
        (
            '"file","trial","label","is_real","confidence"\n"bcd.wav","1","A","real","0.5"\n"jkl.wav","2","b","",""\n"bcd.wav","4","","generated","4"\n',
            "utf-8",
        ),
    ],
)
def test_a_sheet_is_read_as_spreadsheets_write_it(tmp_path, key, text, encoding):
    assert read(tmp_path, key, text, encoding) == WANTED


def test_columns_without_a_name_are_passed_over(tmp_path, key):
    rows = read(tmp_path, key, "trial,file,label,,,is_real,\n1,bcd.wav,A,,,yes,a note\n2,fgh.wav,b,,,,\n,,,,,,\n")
    assert rows == [("bcd.wav", 1, "A", True, None), ("fgh.wav", 1, "b", None, None)]


def test_labels_that_differ_in_case_are_two(tmp_path):
    (tmp_path / "key.csv").write_text("file,is_real,label\nx.wav,no,a\ny.wav,no,A\nX.wav,no,b\nz.wav,no,cD\n")
    key = read_key(tmp_path / "key.csv")
    rows = read(tmp_path, key, "file,label\nx.wav,a\ny.wav,A\nX.wav,B\nZ,CD\n")
    assert [row[::2] for row in rows] == [
        *(("x.wav", "a", None), ("y.wav", "A", None)),
        *(("X.wav", "b", None), ("z.wav", "cD", None)),
    ]


def test_times_are_counted_in_the_order_of_trials_with_those_left_empty(tmp_path, key):
    rows = read(tmp_path, key, "trial,file,label\n10,bcd.wav,A\n9,bcd.wav,b\n8,bcd.wav,\n11,fgh.wav,b\n")
    assert [row[:3] for row in rows] == [("bcd.wav", 2, "b"), ("bcd.wav", 3, "A"), ("fgh.wav", 1, "b")]
    rows = read(tmp_path, key, "file,label\nbcd.wav,A\nfgh.wav,b\nbcd.wav,b\n")
    assert [row[:3] for row in rows] == [("bcd.wav", 1, "A"), ("fgh.wav", 1, "b"), ("bcd.wav", 2, "b")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "trial,file,label\n1,bcd.wav,A\n\n2,bcf.wav,A\n",
            r"ana\.csv, row 4: 'bcf\.wav' is not in the key\. Did you mean bcd\.wav",
        ),
        ("sep=,\ntrial,file,is_real\n1,bcd.wav,maybe\n", r"ana\.csv, row 3: is_real is 'maybe'; it may be yes or no"),
        ("trial,file,label,confidence\n1,bcd.wav,A,high\n", r"row 2: confidence is 'high'"),
        ("trial,file,label,confidence\n1,bcd.wav,A,NaN\n", r"row 2: confidence is 'NaN'; it may be a number"),
        ("trial,file,label\ninf,bcd.wav,A\n", r"row 2: trial is 'inf'; it may be a number"),
        ("trial,file,label\nfirst,bcd.wav,A\n", r"row 2: trial is 'first'; it may be a number"),
        ("trial,file,label\n1,bcd.wav,A\n1,bcd.wav,b\n", r"row 3: trial 1 with bcd\.wav is there twice"),
        ("trial,file,label,Label\n1,bcd.wav,A,b\n", r"has the column label twice"),
        ("trial,sound,label\n1,bcd.wav,A\n", r"needs the column file; it has trial, sound, label"),
        ("trial,file,label,is_real\n1,bcd.wav,,\n", r"no row has a label or says is_real"),
        ("", r"needs the column file; it has none"),
    ],
)
def test_what_cannot_be_read_names_the_file_and_the_row(tmp_path, key, text, told):
    with pytest.raises(CanaryganError, match=told):
        read(tmp_path, key, text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("file,is_real\nbcd.wav,\n", "row 2: is_real is empty"),
        ("file,is_real\nbcd.wav,no\nbcd.wav,no\n", r"row 3: bcd\.wav is there twice"),
        ("file,label\nbcd.wav,A\n", "needs the column is_real"),
        ("file,is_real\n", "has no rows"),
        ("trial,file,label,is_real,confidence\n1,bcd.wav,A,yes,4\n", "has trials, as a scoring sheet has"),
    ],
)
def test_what_is_no_key_is_refused(tmp_path, text, told):
    (tmp_path / "key.csv").write_text(text)
    with pytest.raises(CanaryganError, match=told):
        read_key(tmp_path / "key.csv")


def test_listeners_are_called_by_their_sheets(tmp_path):
    assert name_listeners([tmp_path / "ana.csv", tmp_path / "ben.csv"]) == ["ana", "ben"]
    assert name_listeners([tmp_path / "ana" / "scores.csv", tmp_path / "ben" / "scores.csv"]) == [
        "ana/scores",
        "ben/scores",
    ]
    with pytest.raises(CanaryganError, match="Two sheets are called b/scores"):
        name_listeners([tmp_path / "a" / "b" / "scores.csv", tmp_path / "c" / "b" / "scores.csv"])
    with pytest.raises(CanaryganError, match=r"ana\.csv was given twice"):
        name_listeners([tmp_path / "ana.csv", tmp_path / "b" / ".." / "ana.csv"])


def test_sheets_of_this_folder_are_called_by_its_name_where_two_are_alike(tmp_path, monkeypatch):
    (tmp_path / "ana").mkdir()
    monkeypatch.chdir(tmp_path / "ana")
    assert name_listeners([Path("scores.csv"), Path("../ben/scores.csv")]) == ["ana/scores", "ben/scores"]


def test_labels_that_the_key_does_not_have_are_found(tmp_path, key):
    (tmp_path / "ana.csv").write_text("file,label\nbcd.wav,A\nfgh.wav,bb\njkl.wav,quack\n")
    unknown = find_unknown(read_sheet(tmp_path / "ana.csv", key), key)
    assert unknown == {"bb": " Did you mean b?", "quack": ""}
    (tmp_path / "bare.csv").write_text("file,is_real\nbcd.wav,no\n")
    bare = read_key(tmp_path / "bare.csv")
    (tmp_path / "ana.csv").write_text("file,label\nbcd.wav,A\n")
    assert find_unknown(read_sheet(tmp_path / "ana.csv", bare), bare) == {}
