"""Strings the clips of a folder into songs, as a lab records them: to try the commands for recordings without any.

    python examples/songs.py CLIPS SONGS

CLIPS holds CLIPS/label/*.wav; the classes become a, b, c, ... in the order of names. SONGS gets SONGS/evtaf with .cbin,
.rec and .not.mat, as evTAF and evsonganaly leave them, and SONGS/audacity with .wav and the labels that Audacity
exports. Needs scipy.
"""

import sys
from pathlib import Path

import numpy as np
import scipy.io
import soundfile

from canarygan_core.audio import find_extent

SONGS, SYLLABLES, NOISE = 6, 20, 0.002


def main(clips: Path, songs: Path) -> None:
    """Write the songs, each a random order of syllables with gaps of 30 to 80 ms under faint noise and a hum."""
    drawn = np.random.default_rng(0)
    folders = sorted(folder for folder in clips.iterdir() if folder.is_dir())
    files = {chr(ord("a") + number): sorted(folder.glob("*.wav")) for number, folder in enumerate(folders)}
    for number in range(SONGS):
        parts, spans, at = [], [], 0
        for label in drawn.choice(list(files), SYLLABLES):
            sound, rate = soundfile.read(files[label].pop(), dtype="float32")
            start, stop = find_extent(sound, rate)
            gap = int(drawn.integers(round(0.03 * rate), round(0.08 * rate)))
            parts += [np.zeros(gap, np.float32), 0.5 * sound[start:stop]]
            spans.append((at + gap, at + gap + int(stop - start), str(label)))
            at = spans[-1][1]
        song = np.concatenate([*parts, np.zeros(round(0.2 * rate), np.float32)])
        hum = 0.05 * np.sin(2 * np.pi * 120 * np.arange(len(song)) / rate)
        song = song + hum + drawn.normal(0, NOISE, len(song))
        write_evtaf(songs / "evtaf" / f"bird_{number}.cbin", song, rate, spans)
        write_audacity(songs / "audacity" / f"bird_{number}.wav", song, rate, spans)


def write_evtaf(path: Path, song: np.ndarray, rate: int, spans: list[tuple[int, int, str]]) -> None:
    """Two channels of big-endian 16-bit samples, the second of noise; a .rec that describes them; the .not.mat."""
    path.parent.mkdir(parents=True, exist_ok=True)
    other = np.random.default_rng(1).normal(0, 0.01, len(song))
    (np.stack([song, other], axis=1) * 32767).astype(">i2").tofile(path)
    path.with_suffix(".rec").write_text(f"ADFREQ = {rate}\nChans = 2\nSamples = {len(song)}\n", encoding="ascii")
    onsets, offsets = (1000 / rate * np.array([span[end] for span in spans]) for end in (0, 1))
    held = {"Fs": float(rate), "onsets": onsets, "offsets": offsets, "labels": "".join(span[2] for span in spans)}
    scipy.io.savemat(path.with_name(f"{path.name}.not.mat"), held)


def write_audacity(path: Path, song: np.ndarray, rate: int, spans: list[tuple[int, int, str]]) -> None:
    """A WAV file, and a label track beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, song, rate, subtype="PCM_16")
    lines = "".join(f"{start / rate:.6f}\t{stop / rate:.6f}\t{label}\n" for start, stop, label in spans)
    path.with_suffix(".txt").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
