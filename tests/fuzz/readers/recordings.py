"""Readers of annotations, and of what is given beside them."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from canarygan_core import audio
from fuzz import mutations
from fuzz.readers.reader import RATE, Reader, make_clips, write


def list_recording_readers() -> list[Reader]:
    from canarygan_recordings.annotations import reading, writing
    from canarygan_recordings.formats import WRITTEN
    from canarygan_recordings.markov import learn_chain, read_songs
    from canarygan_recordings.selection import read_renaming

    segments = ((0.1, 0.2, "a"), (0.3, 0.4, "b"), (0.5, 0.75, "c"))
    names = {format: writing.name_files(Path(), [Path("bird.wav")], format)[0].name for format in WRITTEN}

    def make(format: str) -> Callable[[Path], None]:
        def make(folder: Path) -> None:
            writing.write(folder, [writing.Labelled(Path("bird.wav"), RATE, 1.0, segments)], format)

        return make

    def read(format: str) -> Callable[[Path], None]:
        def read(folder: Path) -> None:
            path = folder / names[format]
            reading.find_format(path)
            reading.read(path, format)

        return read

    bird = (
        '<?xml version="1.0"?><Sequences><NumSequence>1</NumSequence><Sequence><WaveFileName>0.wav</WaveFileName>'
        "<Position>32</Position><Length>900</Length><NumNote>1</NumNote><Note><Position>2</Position><Length>9</Length>"
        "<Label>0</Label></Note></Sequence></Sequences>"
    )

    def make_yarden(folder: Path) -> None:
        from scipy.io import savemat

        element = {"fs": 32000, "segFileStartTimes": [0.1, 0.3], "segFileEndTimes": [0.2, 0.4], "segType": [1, 2]}
        stream = io.BytesIO()
        savemat(stream, {"keys": np.array(["a.wav", "b.wav"], object), "elements": [element, element]})
        (folder / "y.mat").write_bytes(stream.getvalue())

    def learn(folder: Path) -> None:
        learn_chain(read_songs(folder), 0.5).keep(["a", "b", "c"]).draw(3, 0.5, 0)

    def make_songs(folder: Path) -> None:
        audio.write(folder / "bird.wav", make_clips(2, RATE).audio[0], RATE)
        make("simple-seq")(folder)

    text = mutations.mutate_text
    kinds = {format: mutations.mutate_bytes if format == "notmat" else text for format in WRITTEN}
    return [
        *(
            Reader(f"annotation {format}", names[format], make(format), kinds[format], read(format))
            for format in WRITTEN
        ),
        Reader(
            "annotation birdsong", "b.xml", write("b.xml", bird), text, lambda folder: reading.read(folder / "b.xml")
        ),
        Reader(
            "annotation yarden",
            "y.mat",
            make_yarden,
            mutations.mutate_bytes,
            lambda folder: reading.read(folder / "y.mat"),
        ),
        Reader("--learn", names["simple-seq"], make_songs, text, learn),
        Reader(
            "--rename",
            "r.toml",
            write("r.toml", 'a = "b"\nc = "d"\n'),
            text,
            lambda folder: read_renaming([str(folder / "r.toml")]),
        ),
    ]
