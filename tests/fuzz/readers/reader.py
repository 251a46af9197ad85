"""What a reader is, and the small files that several of them read."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from canarygan_core.audio import archives
from canarygan_core.clips import Clips
from canarygan_core.runs import Manifest, Request, files, seals

Mutate = Callable[[random.Random, bytes], bytes]

RATE = 16000


@dataclass(frozen=True)
class Reader:
    """One reader, with a file that it reads.

    Attributes:
        name: what it reads.
        file: below the folder that `make` fills, the file that is damaged.
        make: writes the file, and what has to lie beside it, into an empty folder.
        mutate: damages the content.
        read: reads the folder.
        mend: after the damage, makes the records beside the file agree with it, so that it is looked into.
    """

    name: str
    file: str
    make: Callable[[Path], None]
    mutate: Mutate
    read: Callable[[Path], Any]
    mend: Callable[[Path], None] = lambda folder: None


def make_clips(count: int = 6, samples: int = 1600) -> Clips:
    """A few clips of two classes."""
    sound = np.random.default_rng(0).standard_normal((count, samples)).astype(np.float32) / 4
    return Clips(
        sound, RATE, labels=np.array(["a", "b"] * (count // 2)), sources=np.array([f"{n}.wav" for n in range(count)])
    )


def make_archive(folder: Path) -> None:
    """A generation archive with the labels of a decoder, and its manifest."""
    labels = np.array(["a", "b", "X", "a"])
    content = {
        **{
            "x": make_clips(4).audio,
            "z": np.zeros((4, 3), np.float32),
            "rate": RATE,
            "version": "0",
            "epoch": 1,
            "step": 8,
        },
        **{"checkpoint": "sha256:0", "held_out": np.array(["a/0.wav"]), "group_by": "none", "y_knn": labels},
        **{
            "label_knn": labels,
            "posteriors_knn": np.full((4, 2), 0.5, np.float32),
            "syllable_knn": np.ones(4, np.float32),
        },
        **{
            "classes_knn": np.array(["a", "b"]),
            "threshold_knn": 0.5,
            "label": labels,
            "agreement": np.ones(4, np.float32),
        },
        **{"posterior": np.ones(4, np.float32), "syllable": np.ones(4, np.float32)},
    }
    with Manifest.begin(folder / "g.manifest.json", Request("generate")) as manifest:
        with archives.writing(folder / "g.npz", 0) as writer:
            for name, values in content.items():
                writer.add(name, values)
        manifest.add_output(folder / "g.npz")


def write(name: str, content: str | bytes) -> Callable[[Path], None]:
    """What writes one file into a folder."""
    data = content.encode() if isinstance(content, str) else content

    def make(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return make


def mend_folder(folder: Path) -> None:
    """Make the record of a component's folder agree with its files, where it is still one."""
    for record in folder.glob("*/*.json"):
        if record.stem not in ("decoder", "projector"):
            continue
        try:
            held = json.loads(record.read_text())
            for name in held["files"]:
                held["files"][name] = files.compute_digest(record.with_name(name))
            record.write_text(seals.dump(held))
        except (ValueError, KeyError, TypeError, OSError, AttributeError, RecursionError):
            return
