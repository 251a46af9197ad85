"""`invert`: find the latents of sounds that are there already."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from canarygan_core import Answer, Request, audio
from canarygan_core.audio.sounds import collect_sounds
from canarygan_core.clips import Clips
from canarygan_core.console import track
from canarygan_core.runs import Manifest, files, tables
from canarygan_latents.inversion import archive, inverting, judging, listening
from canarygan_latents.inversion.inverting import Inverted, Search
from canarygan_latents.inversion.judging import Errors
from canarygan_latents.inversion.measuring import Measure
from canarygan_latents.opening import open_generator
from canarygan_latents.options import BATCHES, SEEDS, Checkpoint, Data, Device, check_range

LIMITS = {
    **{"candidates": (1, 100_000), "starts": (1, 1000), "steps": (0, 100_000), "own": (0, 10_000)},
    **{"batch-size": BATCHES, "seed": SEEDS},
}
"""By option, the least and the greatest number."""


def invert(
    *paths: Path,
    generator_ckpt: Checkpoint,
    dataset: Data = None,
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("inverted"),
    candidates: int = 2000,
    starts: int = 4,
    steps: int = 200,
    batch_size: int = 16,
    level: bool | None = None,
    own: int = 16,
    seed: int = 0,
    device: Device = "auto",
    wav: bool = False,
    overwrite: bool = False,
    request: Request,
) -> Answer:
    """Find the latents whose sounds are nearest to sounds that are there, and tell how near that is.

    Sounds are heard as the clips that the model learnt from. Without any, the clips that its run held out are taken.
    The error is the mean absolute difference of two log-mel spectrograms, in dB. It stands beside those of noise, of a
    latent drawn blindly, of the nearest training clip, and of sounds that the model made itself.

    Args:
        paths: Sound files, folders that are searched for some, and .npz archives.
        dataset: Brings the training clips to compare with. [default: those of the checkpoint's run]
        save_dir: Folder for the archive, the table, the figure and their manifest.
        candidates: Latents drawn first, of which the best for each sound start its search.
        starts: Of them, how many start the search for a sound.
        steps: Of the search, for each sound.
        batch_size: Sounds searched for at a time.
        level: Whether a sound's level counts. [default: only if the model learnt clips at the level as recorded]
        own: Sounds of the model itself that are inverted beside, to tell what the search reaches; 0 for none.
        seed: Seed of the candidates, the noise and the model's own sounds.
        wav: Write what the model makes of the latents as WAV files besides.
        overwrite: Replace what is there.
    """
    given = {"candidates": candidates, "starts": starts, "steps": steps, "batch-size": batch_size, "own": own}
    for name, number in {**given, "seed": seed}.items():
        check_range(name, number, LIMITS[name])
    opened = open_generator(generator_ckpt, device)
    path = save_dir / f"inversion-{opened.stem}.npz"
    table, figure, waves = path.with_suffix(".csv"), path.with_suffix(".png"), path.with_suffix("")
    absent = files.check_absent(path, table, figure, *([waves] if wav else []), overwrite=overwrite)
    listed = collect_sounds(paths) if paths else []  # refuses what is not there, before the training clips are read
    learning = listening.find_learning(opened, dataset)
    sounds = listening.collect(paths, learning, listed)
    measure = Measure(opened.generator.rate, learning.is_level_free if level is None else not level)
    search = Search(candidates, min(starts, candidates), steps, batch_size, seed)
    facts = {} if dataset is None or learning.clips is None else {"dataset": dict(learning.clips.origin)}
    record = path.with_suffix(".manifest.json")
    with Manifest.begin(record, request, absent=absent, seed=seed, **facts) as manifest:
        opened.record(manifest)
        for file in listening.list_archives(sounds):
            manifest.add_input(str(file), file)
        inverted = inverting.invert(opened.generator, sounds.audio, measure, search)
        errors = judging.judge(opened.generator, sounds, inverted, learning, measure, search, own)
        archive.write(path, opened, sounds, inverted, errors)
        files.write_text(table, tables.format_table(_make_rows(sounds, inverted, errors)))
        _write_figure(figure, sounds, inverted, errors)
        manifest.add_outputs((path, table, figure))
        if wav:
            _write_waves(waves, inverted, sounds.rate)
            manifest.add_outputs(sorted(waves.iterdir()))
    overall, by_class = judging.summarize(errors, sounds.labels)
    text = [
        f"{judging.count_sounds(len(sounds))} inverted: {path}",
        *judging.describe(overall, by_class, errors),
        f"Table: {table}",
    ]
    text += [f"Figure: {figure}", *([f"WAV files: {waves}"] if wav else [])]
    data: dict[str, Any] = {"path": str(path), "sounds": len(sounds), "overall": overall, "by_class": by_class}
    data["reachable"] = round(float(np.median(errors.reachable)), 3) if len(errors.reachable) else None
    return Answer("\n".join(text), data)


def _make_rows(sounds: Clips, inverted: Inverted, errors: Errors) -> list[dict[str, Any]]:
    """The table's rows: what a sound is, its latent, its errors in dB."""
    rows = []
    for row in range(len(sounds)):
        cells: dict[str, Any] = {"row": row, "source": "" if sounds.sources is None else str(sounds.sources[row])}
        cells["label"] = "" if sounds.labels is None else str(sounds.labels[row])
        cells |= {f"z{number}": round(value, 6) for number, value in enumerate(inverted.z[row].tolist(), 1)}
        for name in ("error", "noise_floor", "random_error", "nearest_error"):
            value = float(getattr(errors, name)[row])
            cells[name] = f"{value:.3f}" if np.isfinite(value) else ""
        cells |= {"nearest": str(errors.nearest[row]), "gain": f"{inverted.gain[row]:.4g}"}
        rows.append(cells)
    return rows


def _write_figure(path: Path, sounds: Clips, inverted: Inverted, errors: Errors) -> None:
    from canarygan_latents.inversion import figures

    with files.replace_file(path) as draft:
        figures.draw(sounds, inverted, errors).savefig(draft, format="png", dpi=110)


def _write_waves(folder: Path, inverted: Inverted, rate: int) -> None:
    """A folder of WAV files named by row, at the level of the sounds where that fits."""
    digits = len(str(len(inverted.x) - 1))
    with files.replace_folder(folder) as draft:
        for row, sound in track(enumerate(inverted.x), "writing WAV files", len(inverted.x)):
            loudest = max(float(np.abs(sound).max()), 1e-9)
            scaled = sound * min(float(inverted.gain[row]), 1 / loudest)
            audio.write(draft / f"{row:0{digits}}.wav", np.asarray(scaled, np.float32), rate)
