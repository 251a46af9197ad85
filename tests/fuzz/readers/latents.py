"""Readers of inversions, and of the tables of stimuli."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from fuzz import mutations
from fuzz.readers.reader import RATE, Reader, make_clips, write


def list_latent_readers() -> list[Reader]:
    from canarygan_latents.inversion import archive, inverting, judging
    from canarygan_latents.opening import Opened
    from canarygan_latents.stimuli import points, sheets

    def make_inversion(folder: Path) -> None:
        clips, column = make_clips(4), np.ones(4, np.float32)
        generator: Any = SimpleNamespace(rate=RATE, progress={"epoch": 1, "step": 2})
        found = inverting.Inverted(np.zeros((4, 3), np.float32), clips.audio, column, column, column)
        errors = judging.Errors(column, column, column, column, np.array(["a/1.wav"] * 4), column[:2])
        archive.write(folder / "i.npz", Opened(generator, folder / "a.ckpt", "sha256:0", "0"), clips, found, errors)

    def read_inversion(folder: Path) -> None:
        archive.load(folder / "i.npz")

    key = "file,name,is_real,label,z1\nbcd.wav,a_1,no,A,'-0.5\nfgh.wav,real_1,yes,b,\n"
    sheet = "trial;file;label;is_real;confidence\n1;bcd.wav;A;yes;0,5\n2;fgh.wav;b;;\n3;bcd.wav;;no;4\n"
    pairs = 'from,to\na,b\n"0.1,-0.2","0.3,0.4"\n'

    def make(folder: Path) -> None:
        (folder / "key.csv").write_text(key)
        (folder / "ana.csv").write_text(sheet)

    def read(folder: Path) -> None:
        sheets.read_sheet(folder / "ana.csv", sheets.read_key(folder / "key.csv"))

    text = mutations.mutate_text
    return [
        Reader("inversion", "i.npz", make_inversion, mutations.mutate_zip, read_inversion),
        Reader("key of stimuli", "key.csv", make, text, read),
        Reader("scoring sheet", "ana.csv", make, text, read),
        Reader(
            "morph --pairs", "p.csv", write("p.csv", pairs), text, lambda folder: points.read_table(folder / "p.csv")
        ),
    ]
