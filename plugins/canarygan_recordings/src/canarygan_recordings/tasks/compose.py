"""`compose`: string generated syllables into a song."""

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from cyclopts import Parameter

from canarygan_core import audio, runs
from canarygan_core.clips import Clips, count_labels
from canarygan_core.components import Answer
from canarygan_core.errors import CanaryganError, UsageError, did_you_mean
from canarygan_core.fitted import decoders, generators, latents
from canarygan_core.fitted.decoders import X
from canarygan_core.plugins import get_registry
from canarygan_core.runs import Manifest, Request, files, tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

REST = 0.1
"""Silence before the first syllable and after the last, seconds."""


def compose(
    *,
    generator_ckpt: Annotated[Path, Parameter(alias="-x")],
    decoder_ckpt: Annotated[list[Path], Parameter(alias="-y")],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("song"),
    sequence: str = "",
    learn: Path | None = None,
    syllables: Annotated[int, Parameter(alias="-n")] = 20,
    gap: float = 50.0,
    pause: float = 500.0,
    posterior: float = 0.98,
    tries: int = 20000,
    format: list[str] | None = None,
    device: str = "auto",
    seed: int = 0,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Make a song: a sequence of labels, typed or learnt, each sung by a sound that decoders label so.

    Latents are drawn until all decoders give each label with the posterior asked for. Every syllable is cut to what
    sounds, faded at both ends, and brought to one peak and one root mean square level.

    Args:
        generator_ckpt: Checkpoint of a model, or a folder of runs, whose newest is taken.
        decoder_ckpt: Folder of a trained decoder, or of several, all of which must agree; may be given again.
        save_dir: Folder for song.wav, its labels, song.csv, latents.npy and the manifest.
        sequence: The labels, separated by commas or spaces.
        learn: Folder of annotated recordings: the labels are drawn from a first-order Markov chain learnt from them,
            with its gaps.
        syllables: How many are drawn with --learn.
        gap: Silence between two syllables of a typed sequence, milliseconds.
        pause: With --learn, a gap that is longer ends a phrase, and phrases are so far apart, milliseconds.
        posterior: How sure every decoder must be of a syllable's class, 0 to 1; none may reject it, either.
        tries: Latents drawn at most.
        format: Format of the labels, by crowsetta's name; may be given again. [default: aud-seq]
        device: Where to compute: auto, cpu, cuda or mps.
        seed: Seed of the sequence and of the latents.
        overwrite: Replace a song of the same name.
    """
    from canarygan_recordings.annotations import writing
    from canarygan_recordings.composition import find_syllables, string_together

    _check_options(sequence, learn, syllables, gap, pause, posterior, tries)
    formats = format or ["aud-seq"]
    generator, _, digest = generators.load_with_digest(
        checkpoint := runs.find_checkpoint(generator_ckpt),
        get_registry(),
        model=None,
        device=generators.choose_device(device, 0),
    )
    trained = decoders.load_all(decoder_ckpt, get_registry())
    known = sorted(set.intersection(*({*one.classes} - {*one.garbage} for one in trained)) - {X})
    labels, gaps, chain = _choose_labels(sequence, learn, syllables, gap / 1000, pause / 1000, known, seed)
    song_path = save_dir / "song.wav"
    table, latent_path = save_dir / "song.csv", save_dir / "latents.npy"
    named = [path for name in formats for path in writing.name_files(save_dir, [song_path], name)]
    absent = files.check_absent(song_path, table, latent_path, *named, overwrite=overwrite)
    seeds = itertools.count(seed * 1_000_003)

    def draw(count: int) -> "NDArray[np.float32]":
        return latents.draw_for(generator, count, seed=next(seeds))

    def decode(sounds: "NDArray[np.float32]") -> "tuple[NDArray[np.str_], NDArray[np.float32]]":
        judged = [one.judge(Clips(sounds, generator.rate)) for one in trained]
        votes = np.stack([one.votes for one in judged])
        sure = np.min([one.certainty for one in judged], axis=0)
        return np.where((votes == votes[0]).all(0), votes[0], X), sure

    with Manifest.begin(save_dir / "song.manifest.json", request, absent=absent, seed=seed) as manifest:
        manifest.add_input("generator", checkpoint, digest)
        for one in trained:
            manifest.add_input(f"decoder {one.key}", one.folder / decoders.RECORD)
        if chain is not None:
            manifest.add(chain=chain)
        found = find_syllables(
            labels, draw, generator.generate, decode, generator.rate, posterior=posterior, tries=tries
        )
        silences = [round(one * generator.rate) for one in gaps]
        song, spans = string_together([one.sound for one in found], silences, round(REST * generator.rate))
        audio.write(song_path, song, generator.rate)
        rate = generator.rate
        segments = tuple(
            (start / rate, stop / rate, one.label) for (start, stop), one in zip(spans, found, strict=True)
        )
        labelled = writing.Labelled(song_path, rate, len(song) / rate, segments)
        outputs = [song_path, *(path for name in formats for path in writing.write(save_dir, [labelled], name))]
        drawn = np.stack([one.latent for one in found])
        with files.replace_file(latent_path) as draft, open(draft, "wb") as stream:
            np.save(stream, drawn)
        rows = [
            {"label": label, "onset": onset, "offset": offset, "posterior": round(one.posterior, 4)}
            | {f"z{number}": float(value) for number, value in enumerate(one.latent, 1)}
            for (onset, offset, label), one in zip(segments, found, strict=True)
        ]
        files.write_text(table, tables.format_table(rows))
        for path in (*outputs, table, latent_path):
            manifest.add_output(path)
    counts = ", ".join(f"{label} {count}" for label, count in count_labels(labels).items())
    text = f"A song of {len(labels)} syllables, {len(song) / rate:.2f} s: {song_path}\n{counts}"
    return Answer(text, {"path": str(song_path), "labels": labels, "gaps": gaps, "syllables": rows, "rate": rate})


def _check_options(
    sequence: str, learn: Path | None, syllables: int, gap: float, pause: float, posterior: float, tries: int
) -> None:
    """Raise `UsageError` on options that make no sense."""
    if bool(sequence) == (learn is not None):
        raise UsageError("Give the labels by --sequence, or a folder to learn them from by --learn: one of the two.")
    if syllables < 1 or tries < 1:
        raise UsageError(f"--syllables and --tries must be at least 1, not {syllables} and {tries}.")
    if not (0 <= gap <= 60_000 and 0 < pause <= 60_000):
        raise UsageError(f"--gap {gap:g} ms and --pause {pause:g} ms: they may be up to 60000 ms.")
    if not 0 <= posterior <= 1:
        raise UsageError(f"--posterior is {posterior:g}: it may be 0 to 1.")


def _choose_labels(
    sequence: str, learn: Path | None, count: int, gap: float, pause: float, known: list[str], seed: int
) -> tuple[list[str], list[float], dict[str, Any] | None]:
    """The labels of the song, the gaps between them in seconds, and the chain that they are from.

    Raises:
        CanaryganError: on a label that the decoders do not know.
    """
    if learn is None:
        labels = sequence.replace(",", " ").split()
        for label in labels:
            if label not in known:
                near = did_you_mean(label, known)
                raise CanaryganError(
                    f"--sequence: decoders know no class {label!r}; they know {', '.join(known)}.{near}"
                )
        return labels, [gap] * (len(labels) - 1), None
    from canarygan_recordings.markov import learn_chain, read_songs

    chain = learn_chain(read_songs(learn), pause).keep(known)
    labels, gaps = chain.draw(count, pause, seed)
    return labels, gaps, chain.to_json()
