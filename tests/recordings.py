"""Sound files made for tests, and what a folder holds."""

import numpy as np
import soundfile


def noise(seed, samples=16000, peak=0.5):
    drawn = np.random.default_rng(seed).uniform(-1, 1, samples)
    return (drawn * peak / np.abs(drawn).max()).astype(np.float32)


def put(path, sound, rate=16000, subtype="FLOAT"):
    """Write a sound file. Those of floats hold the second they were written in, so two of them may differ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, rate, subtype=None if path.suffix == ".flac" else subtype)


def tree(folder):
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
    }


def entries(kept):
    return sorted(path.name for path in kept.iterdir()) if kept.is_dir() else []
