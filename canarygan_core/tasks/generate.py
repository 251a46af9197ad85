"""`generate`: make sounds with a trained model."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from canarygan_core import audio, console, runs
from canarygan_core.audio import archives
from canarygan_core.clips import count_labels
from canarygan_core.components import Answer
from canarygan_core.fitted import decoders, generators, latents
from canarygan_core.fitted.judgements import Judgement
from canarygan_core.plugins import get_registry
from canarygan_core.runs import Manifest, Request, files

NAMED = 100_000
"""WAV files that the manifest names at most, for it is read as a whole."""


def generate(
    *,
    generator_ckpt: Annotated[Path, Parameter(alias="-x")],
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("generated"),
    vec_file: Annotated[Path | None, Parameter(alias="-z")] = None,
    num_samples: Annotated[int | None, Parameter(alias="-n")] = None,
    decoder_ckpt: Annotated[list[Path] | None, Parameter(alias="-y")] = None,
    transform_params: Annotated[Path | None, Parameter(alias="-p")] = None,
    dist: str | None = None,
    dist_params: str = "",
    seed: int = 0,
    batch_size: int = 100,
    num_workers: Annotated[int, Parameter(alias="-c")] = 2,
    device: str = "auto",
    device_idx: int = 0,
    wav: bool = False,
    compressed: bool = False,
    overwrite: bool = False,
    model: str | None = None,
    request: Request,
) -> Answer:
    """Make sounds from latents, drawn or read, and write them with those latents to an .npz archive.

    Args:
        generator_ckpt: Checkpoint, or the folder of a version, whose last one is taken; in a folder of runs, the
            newest version's.
        save_dir: Folder for the archive and its manifest.
        vec_file: File of latents (n, d), as `sample` writes; leaves out --num-samples.
        num_samples: Sounds to make from latents drawn anew. [default: 16000 without -z]
        decoder_ckpt: Folder of a trained decoder, or of several, that label each sound; may be given again.
        transform_params: Feature parameters that must be the decoder's; not needed, it knows its own.
        dist: Distribution of drawn latents; see `sample`. [default: that of the model, or else uniform]
        dist_params: Its parameters, JSON; without --dist those of uniform.
        seed: Seed of the draw.
        batch_size: Sounds computed at a time.
        num_workers: Threads that write WAV files.
        device: auto, cpu, cuda or mps, for the model and for decoders that can use one.
        device_idx: Which GPU.
        wav: Write a WAV file a sound besides.
        compressed: Compress the archive: a tenth smaller, slower, and read whole into memory.
        overwrite: Replace an archive of the same name.
        model: Which model reads the checkpoint. [default: the one in its run's manifest]
    """
    latents.check_flags(vec_file, num_samples, batch_size=batch_size, num_workers=num_workers)
    checkpoint = runs.find_checkpoint(generator_ckpt)
    place = generators.choose_device(device, device_idx)
    generator, run, digest = generators.load_with_digest(checkpoint, get_registry(), model=model, device=place)
    trained = decoders.load_all(decoder_ckpt or [], get_registry(), transform_params, device, device_idx)
    version = runs.name_version(checkpoint)
    epoch, step = generator.progress["epoch"], generator.progress["step"]
    path = save_dir / f"generation-version_{version}-epoch_{epoch}-step_{step}.npz"
    absent = files.check_absent(path, *([path.with_suffix("")] if wav else []), overwrite=overwrite)
    if vec_file is not None:
        z = latents.read(vec_file, generator.latent_dim)
    else:
        count = 16000 if num_samples is None else num_samples
        archives.check_room(path, 4 * count * (generator.samples + generator.latent_dim))
        z = latents.draw_for(generator, count, dist=dist, params=dist_params, seed=seed)
    record = path.with_suffix(".manifest.json")
    with _restore_manifest(record, path), Manifest.begin(record, request, absent=absent, seed=seed) as manifest:
        manifest.add_input("generator", checkpoint, digest)
        if vec_file is not None:
            manifest.add_input("latents", vec_file)
        for one in trained:
            manifest.add_input(f"decoder {one.key}", one.folder / decoders.RECORD)
        shape = (len(z), generator.samples)
        counts: dict[str, dict[str, int]] = {}
        judged: list[list[Judgement]] = [[] for _ in trained]
        size = 4 * shape[0] * (shape[1] + z.shape[1] + sum(66 * len(one.classes) for one in trained))

        def decode_batches() -> Iterator[NDArray[np.float32]]:
            for clips in generators.generate_clips(generator, z, batch_size):
                for judgement, parts in zip(decoders.judge_all(trained, clips), judged, strict=True):
                    parts.append(judgement)
                yield clips.audio

        with archives.writing(path, size, compressed=compressed) as archive:
            archive.stream("x", shape, np.dtype(np.float32), decode_batches())
            archive.add("z", z)
            judgements = [Judgement.join(parts) for parts in judged]
            for one, judgement in zip(trained, judgements, strict=True):
                counts[one.key] = count_labels(judgement.votes)
                archive.add(f"y_{one.key}", judgement.labels)
                archive.add(f"label_{one.key}", judgement.votes)
                archive.add(f"posteriors_{one.key}", judgement.posteriors)
                archive.add(f"syllable_{one.key}", judgement.syllable)
                archive.add(f"classes_{one.key}", judgement.classes)
                archive.add(f"threshold_{one.key}", judgement.threshold)
            together = decoders.reach_consensus(judgements) if judgements else None
            if together is not None:
                for name in ("label", "agreement", "posterior", "syllable"):
                    archive.add(name, getattr(together, "labels" if name == "label" else name))
            facts = {"rate": generator.rate, "version": version, "epoch": epoch, "step": step}
            for name, fact in {**facts, "checkpoint": digest}.items():
                archive.add(name, fact)
            held_out = run.manifest.record.get("held_out") if run else None
            if held_out is not None:
                archive.add("held_out", np.array(held_out["sources"]))
                archive.add("group_by", held_out["group_by"])
        manifest.add_output(path)
        if wav:
            waves = _write_waves(path, generator.rate, num_workers)
            manifest.add_outputs(console.track(waves[:NAMED], "recording WAV files"))
    text = f"{shape[0]} sounds of {shape[1]} samples at {generator.rate} Hz: {path}"
    data: dict[str, Any] = {
        "path": str(path),
        "shape": list(shape),
        "rate": generator.rate,
        "epoch": epoch,
        "step": step,
    }
    for key, labels in counts.items():
        text += f"\n{key}: {_format_counts(labels)}"
    if together is not None:
        sure = count_labels(together.labels[together.is_sure])
        unanimous = count_labels(together.labels[together.is_unanimous])
        text += f"\n{together.describe(list(counts))}\nsure: {_format_counts(sure)}"
        text += f"\nagreed: {_format_counts(unanimous)}" if len(trained) > 1 else ""
        data |= {"labels": counts, "sure": sure, "unanimous": unanimous}
    if wav:
        text += f"\nWAV files: {path.with_suffix('')}"
    return Answer(text, data)


def _format_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{label} {count}" for label, count in counts.items()) or "none"


@contextmanager
def _restore_manifest(record: Path, archive: Path) -> Iterator[None]:
    """Restore the manifest of an existing archive where the block fails before it replaces the archive."""
    before = (record.read_bytes(), archive.stat().st_ino) if record.is_file() and archive.is_file() else None
    try:
        yield
    except BaseException:
        if before is not None and archive.is_file() and archive.stat().st_ino == before[1]:
            record.write_bytes(before[0])
        raise


def _write_waves(archive: Path, rate: int, workers: int) -> list[Path]:
    """Write a folder of WAV files, named like the archive, whole or absent; one of that name is replaced."""
    sounds, folder = archives.read(archive)["x"], archive.with_suffix("")
    digits = len(str(len(sounds) - 1))
    with files.replace_folder(folder) as draft, ThreadPoolExecutor(workers) as pool:

        def write(number: int) -> None:
            audio.write(draft / f"{number:0{digits}}.wav", sounds[number], rate)

        for _ in console.track(pool.map(write, range(len(sounds))), "writing WAV files", len(sounds)):
            pass
    return sorted(folder.iterdir())
