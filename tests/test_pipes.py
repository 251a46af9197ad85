"""A pipe is refused wherever a file is read, whatever its name: to open one would wait for ever."""

import os
import threading

import pytest

from canarygan_core.audio import archives, evtaf, soundfiles, stretches
from canarygan_core.audio.sounds import collect_sounds
from canarygan_core.cli import layers
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted import latents
from canarygan_core.runs import Manifest, files

READERS = {
    "x.wav": lambda path: soundfiles.read_stretch(path, 16000, 0.0, 0.1),
    "x.npz": archives.read,
    "y.npz": lambda path: collect_sounds([path]),
    "x.npy": lambda path: latents.read(path, 3),
    "x.csv": stretches.read_stretches,
    "x.json": Manifest.read,
    "x.toml": lambda path: layers.read_file(["--config", str(path)], "sample"),
    "x.txt": files.read_text,
    "x.rec": lambda path: evtaf.describe(path.with_suffix(".cbin")),
}


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_is_refused(name, tmp_path):
    os.mkfifo(tmp_path / name)
    failures = []

    def attempt():
        try:
            READERS[name](tmp_path / name)
        except CanaryganError as error:
            failures.append(str(error))

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(20)
    assert len(failures) == 1, "it waits for the pipe"
    assert name in failures[0]


def test_a_pipe_is_no_table(tmp_path):
    os.mkfifo(tmp_path / "x.csv")
    found = []
    thread = threading.Thread(target=lambda: found.append(stretches.is_table(tmp_path / "x.csv")), daemon=True)
    thread.start()
    thread.join(20)
    assert found == [False]
