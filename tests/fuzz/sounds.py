"""Damaged, odd and misnamed files at every door that lists or reads: none may raise anything but CanaryganError.

    python -m fuzz.sounds --inputs 20000

Each input is a file of some codec with bytes flipped, cut, inserted or joined, sizes in its header replaced, or another
file's name; or a name, a link, a pipe or a folder. Each unusable file must be named with its reason. What fails is
printed with its seed, and `--first SEED --inputs 1` repeats it.
"""

import argparse
import io
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile

from canarygan_core.audio import Hearing, Problem, archives, soundfiles
from canarygan_core.audio.sounds import collect_sounds, read_clips
from canarygan_core.audio.stretches import read_stretches
from canarygan_core.console import show_on_one_line
from canarygan_core.datasets.survey import examine, survey
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted import latents
from canarygan_core.runs import files

BATCH = 50
"""Inputs that lie in one folder."""

CODECS = [
    *(("WAV", codec) for codec in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")),
    *(("WAV", codec) for codec in ("GSM610", "IMA_ADPCM", "MS_ADPCM", "G721_32", "NMS_ADPCM_24")),
    *(("WAVEX", "PCM_16"), ("RF64", "PCM_16"), ("W64", "PCM_16"), ("AIFF", "PCM_16"), ("AU", "PCM_16")),
    *(("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"), ("CAF", "PCM_16")),
]
ENDINGS = [".wav", ".flac", ".ogg", ".mp3", ".WAV", ".npz", ".npy", ".csv", ".toml", ".txt", ""]
SIZES = [0, 1, 7, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 0x7FFF0000, 0x7FFF0001]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=2000, help="how many, count")
    parser.add_argument("--first", type=int, default=0, help="seed of the first")
    words = parser.parse_args()
    bases, counts, failures = make_bases(), Counter[str](), []
    for first in range(words.first, words.first + words.inputs, BATCH):
        seeds = range(first, min(first + BATCH, words.first + words.inputs))
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            made = [make_input(folder / "data" / f"class_{seed % 5}", seed, bases) for seed in seeds]
            failures += try_doors(folder / "data", made, counts)
            shutil.rmtree(folder, ignore_errors=True)
        if sys.stderr.isatty():
            print(f"\r{first + BATCH}", end="", file=sys.stderr)
    for failure in failures[:20]:
        print(failure)
    told = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    print(f"{words.inputs} inputs: {told}; {len(failures)} failures.")
    return int(bool(failures))


def make_bases() -> list[bytes]:
    """Whole files of every codec, and some that are none."""
    rng = np.random.default_rng(0)
    bases = [b"", b"onset,offset\n0,0.1\n", b"preset = 'small'\n", b"version https://git-lfs.github.com/spec/v1\n"]
    for container, codec in CODECS:
        for channels, seconds in ((1, 0.05), (1, 0.4), (2, 0.2)):
            rate = 48000 if codec == "OPUS" else 8000
            if channels == 2 and codec in ("GSM610", "G721_32", "NMS_ADPCM_24"):
                continue
            stream = io.BytesIO()
            sound = 0.3 * rng.standard_normal((round(rate * seconds), channels)).clip(-3, 3)
            soundfile.write(stream, sound, rate, format=container, subtype=codec)
            bases.append(stream.getvalue())
    for arrays in ({"x": np.zeros((3, 400), np.float32)}, {"x": rng.standard_normal((3, 400)), "rate": 8000}, {"z": 1}):
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        bases.append(stream.getvalue())
    stream = io.BytesIO()
    np.save(stream, np.zeros((5, 3), np.float32))
    return [*bases, stream.getvalue()]


def make_input(folder: Path, seed: int, bases: list[bytes]) -> Path:
    """One input in a folder, a function of its seed; gives its path."""
    draw = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / make_name(draw, seed)
    kind = draw.random()
    try:
        if kind < 0.02:
            path.symlink_to(draw.choice([path, folder / "gone", folder, folder.parent, Path("/dev/null"), Path("..")]))
        elif kind < 0.03:
            os.mkfifo(path)
        elif kind < 0.04:
            path.mkdir()
        else:
            path.write_bytes(damage(draw, bases))
    except OSError:  # a name that the file system does not take
        path = folder / f"{seed}.wav"
        path.write_bytes(damage(draw, bases))
    return path


def make_name(draw: random.Random, seed: int) -> str:
    """A name with an ending that fits or not: of letters, or of what is no text."""
    odd = [
        "\u00fc",
        "e\u0301",
        "\U0001f426",
        " ",
        "\n",
        "'",
        '"',
        "%s",
        "..",
        "\udce9\udcff",
        "-n",
        "a" * 200,
        "#",
        "$x",
    ]
    stem = f"{seed}{draw.choice(odd) if draw.random() < 0.3 else ''}"
    return stem + draw.choice(ENDINGS[:5] if draw.random() < 0.85 else ENDINGS)


def damage(draw: random.Random, bases: list[bytes]) -> bytes:
    """A file with up to three things done to it."""
    content = bytearray(draw.choice(bases))
    for _ in range(draw.choice([0, 1, 1, 2, 3])):
        at = draw.randrange(min(len(content), 200) + 1) if draw.random() < 0.7 else draw.randrange(len(content) + 1)
        change = draw.randrange(9)
        if change == 0:
            content = content[:at]
        elif change == 1:
            content[at : at + 1] = bytes([draw.randrange(256)])
        elif change == 2:
            content[at : at + 4] = draw.choice(SIZES).to_bytes(4, draw.choice(["little", "big"]))
        elif change == 3:
            content[at:at] = draw.randbytes(draw.choice([1, 2, 4, 100]))
        elif change == 4:
            del content[at : at + draw.choice([1, 2, 4, 100])]
        elif change == 5:
            content += draw.choice(bases)
        elif change == 6:
            tag = b"ID3\x03\x00\x00\x00\x00\x00\x0a" + bytes(10)
            content[:0] = draw.choice([tag, b"\xff\xfb", b"\xef\xbb\xbf", b"RIFF"])
        elif change == 7:
            content = bytearray(draw.randbytes(draw.choice([0, 1, 44, 600])))
        else:
            name = draw.choice([b"data", b"fmt ", b"RIFF", b"OggS", b"Xing", b"fLaC"])
            at = content.find(name)
            content[at + 4 : at + 8] = draw.choice(SIZES).to_bytes(4, "little")
    return bytes(content)


def try_doors(data: Path, made: list[Path], counts: Counter[str]) -> list[str]:
    """Give inputs to every door; gives what failed, as text."""
    failures: list[str] = []

    def attempt(what: str, door: object, *words: object) -> object:
        try:
            return door(*words)  # type: ignore[operator]
        except CanaryganError as error:
            counts[what] += 1
            if not str(error).strip():
                failures.append(f"{what}: nothing is said")
            return error
        except Exception:  # noqa: BLE001 that is what is looked for
            failures.append(f"{what} {words}: {traceback.format_exc(limit=-3)}")
            return None

    def check_folder() -> None:
        found = survey(data)
        results = dict(examine(found.sources, 16000, 1.0))
        assert len(results) == len(found.sources), "a file got lost"
        for source, result in results.items():
            is_problem = isinstance(result, Problem)
            counts[result.kind if is_problem else "usable"] += 1
            assert not is_problem or (result.path == str(source) and result.what and result.kind), source

    def decode_all(paths: list[Path]) -> None:
        sounds = collect_sounds(paths)
        heard = [len(found) + len(problems) for found, _, problems in read_clips(sounds, Hearing(16000, 16000))]
        assert sum(heard) == len(sounds), "a sound got lost"

    attempt("check", check_folder)
    attempt("decode folder", decode_all, [data])
    for path in made:
        named = attempt("decode file", decode_all, [path])
        said = str(named) if isinstance(named, CanaryganError) else path.name
        if not is_named(path.name, said) and not any(part in said for part in ("holds no sound", str(path.parent))):
            failures.append(f"decode file {path}: {named}")
        error = attempt("stretch", soundfiles.read_stretch, path, 16000, 0.01, 0.04)
        if isinstance(error, CanaryganError) and not is_named(path, str(error)):
            failures.append(f"stretch {path}: {error}")
        for what, door in (("archive", archives.read), ("table", read_stretches), ("text", files.read_text)):
            error = attempt(what, door, path)
            if isinstance(error, CanaryganError) and not is_named(path, str(error)):
                failures.append(f"{what} {path}: {error}")
        attempt("latents", latents.read, path, 3)
    return failures


def is_named(path: Path | str, text: str) -> bool:
    """Whether a text holds a path, as it is or on one line."""
    return str(path) in text or show_on_one_line(str(path)) in text


if __name__ == "__main__":
    sys.exit(main())
