"""What morph, grid and select leave: a folder to play from, the key to it, and the latents with their sounds."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canarygan_core import Dataset, audio
from canarygan_core.audio import archives
from canarygan_core.clips import Clips
from canarygan_core.components import Answer
from canarygan_core.errors import UsageError
from canarygan_core.fitted import decoders
from canarygan_core.fitted.decoders import TrainedDecoder
from canarygan_core.runs import Manifest, Request, files, tables
from canarygan_latents.opening import Opened
from canarygan_latents.stimuli import foils, pictures, trials
from canarygan_latents.stimuli.options import Playback
from canarygan_latents.stimuli.playback import Played, prepare

FOLDER, TRIALS, SCORES = "playback", "trials", "scores"
"""The folder that is played from, and the tables in it: with the number of the listener, where there are several."""

KEY, ARCHIVE, SHEET, RECORD = "key.csv", "stimuli.npz", "stimuli.png", "stimuli.manifest.json"
"""What lies beside it: which file is what, the latents with their sounds, spectrograms, and the manifest."""

ASKED = ("label", "is_real", "confidence")
"""The columns of the scoring sheet that a listener fills in."""


@dataclass(frozen=True, eq=False)
class Stimuli:
    """Sounds of a model that are to be played.

    Attributes:
        names: what each is called, such as `bridge_1-step_3`.
        latents: (n, d).
        sounds: (n, samples) as the model makes them.
        labels: (n,) of decoders, empty without them.
        posteriors: (n,) of these labels, or None.
        columns: further columns of the key, with one value a stimulus.
        row: stimuli that a row of the picture has; 0 where that does not matter.
    """

    names: Sequence[str]
    latents: NDArray[np.float32]
    sounds: NDArray[np.float32]
    labels: Sequence[str]
    posteriors: NDArray[np.floating[Any]] | None = None
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    row: int = 0


@dataclass(frozen=True, eq=False)
class Session:
    """What was asked for of a set of stimuli, apart from which they are.

    Attributes:
        save_dir: folder for all of it.
        playback: how they are played.
        dataset: whose real clips are played among them, or None.
        seed: of names, order and the choice of real clips.
        overwrite: whether stimuli that are there may be replaced.
        request: of the task.

    Raises:
        UsageError: where the options contradict one another.
        CanaryganError: where stimuli are there already.
    """

    save_dir: Path
    playback: Playback
    dataset: Dataset | None
    seed: int
    overwrite: bool
    request: Request

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UsageError(f"--seed is {self.seed}: a seed is 0 or more.")
        if bool(self.playback.real) != (self.dataset is not None):
            raise UsageError("Real clips among the stimuli take both: a dataset, by -d, and how many, by --real.")
        files.check_outside(getattr(self.dataset, "data_dir", None), self.save_dir)
        self._check_absent()

    def _check_absent(self) -> tuple[Path, ...]:
        outputs = (self.save_dir / name for name in (FOLDER, KEY, ARCHIVE, SHEET))
        return files.check_absent(*outputs, overwrite=self.overwrite)

    def write(
        self,
        stimuli: Stimuli,
        opened: Opened,
        trained: Sequence[TrainedDecoder],
        inputs: Mapping[str, Path] = MappingProxyType({}),
        **result: Any,
    ) -> Answer:
        """Write the stimuli; nothing is written before all of them are ready to be played.

        Args:
            stimuli: what they are.
            opened: the model that made them.
            trained: decoders that labelled them.
            inputs: by a name, further files that they were made from.
            result: what the manifest and the answer tell besides, JSON values.
        """
        rate = opened.generator.rate
        shape = (rate, stimuli.sounds.shape[1])
        real = foils.choose(self.dataset, self.playback.real, stimuli.labels, shape, self.seed)
        clips = (f"real_clip_{number}" for number in range(1, len(real) + 1))
        names = trials.tell_apart([*stimuli.names, *clips])
        everything = np.concatenate([stimuli.sounds, real.audio])
        played = prepare(everything, names, rate, self.playback)
        seeds = (self.seed, _compute_hash(opened, names, stimuli, real))
        codes = trials.draw_names(len(names), *seeds) if self.playback.blind else names
        waves = [f"{code}.wav" for code in codes]
        key = _make_key(waves, names, stimuli, real, played, rate)
        listeners = range(self.playback.listeners)
        orders = [trials.list_trials(waves, self.playback.repeats, *seeds, one) for one in listeners]
        facts = {"stimuli": len(stimuli.names), "real": len(real), "trials": len(orders[0]), "listeners": len(orders)}
        record = self.save_dir / RECORD
        with Manifest.begin(record, self.request, absent=self._check_absent(), seed=self.seed) as manifest:
            opened.record(manifest)
            for one in trained:
                manifest.add_input(f"decoder {one.key}", one.folder / decoders.RECORD)
            for name, path in inputs.items():
                manifest.add_input(name, path)
            if self.dataset is not None:
                manifest.add(dataset=dict(real.origin))
            manifest.add(result=facts | result)
            self._write_archive(stimuli, opened)
            files.write_text(self.save_dir / KEY, tables.format_table(key))
            self._write_playback(waves, played, orders, rate)
            files.remove(self.save_dir / SHEET)
            if self.playback.sheet:
                titles = ["\n".join(filter(None, (row["name"], row["label"]))) for row in key]
                sounds = [one.sound for one in played]
                pictures.draw_sheet(self.save_dir / SHEET, sounds, titles, rate, stimuli.row)
                manifest.add_output(self.save_dir / SHEET)
            for path in (self.save_dir / ARCHIVE, self.save_dir / KEY, *sorted((self.save_dir / FOLDER).iterdir())):
                manifest.add_output(path)
        seconds = [len(one.sound) / rate for one in played]
        among = f" and {len(real)} real clips" if len(real) else ""
        what = f"{len(stimuli.names)} stimuli{among}, {min(seconds):.3f} to {max(seconds):.3f} s"
        told = f"{what}, in {len(orders[0])} trials"
        kept = f"Give that folder to the listener, and keep {self.save_dir / KEY} for `agreement`."
        return Answer(f"{told}: {self.save_dir / FOLDER}\n{kept}", {"path": str(self.save_dir), **facts, **result})

    def _write_archive(self, stimuli: Stimuli, opened: Opened) -> None:
        """The sounds as the model made them, with their latents, as `generate` writes them."""
        progress = opened.generator.progress
        facts = {"rate": opened.generator.rate, "version": opened.version, "checkpoint": opened.digest}
        size = 4 * (stimuli.sounds.size + stimuli.latents.size)
        with archives.writing(self.save_dir / ARCHIVE, size) as archive:
            archive.add("x", stimuli.sounds)
            archive.add("z", stimuli.latents)
            for name, fact in {**facts, "epoch": progress["epoch"], "step": progress["step"]}.items():
                archive.add(name, fact)
            if len(stimuli.labels):
                archive.add("label", np.asarray(stimuli.labels, np.str_))
            if stimuli.posteriors is not None:
                archive.add("posterior", stimuli.posteriors)

    def _write_playback(
        self, waves: Sequence[str], played: Sequence[Played], orders: Sequence[list[dict[str, Any]]], rate: int
    ) -> None:
        """The folder for the listeners: sounds in the order of their names, the orders of trials, and empty sheets."""
        subtype: Any = {16: "PCM_16", 32: "FLOAT"}[self.playback.bits]
        with files.replace_folder(self.save_dir / FOLDER) as draft:
            for wave, one in sorted(zip(waves, played, strict=True), key=lambda pair: pair[0]):
                audio.write(draft / wave, one.sound, rate, subtype)
            for number, rows in enumerate(orders, 1):
                ending = f"-{number}.csv" if len(orders) > 1 else ".csv"
                sheet = [{"trial": row["trial"], "file": row["file"], **dict.fromkeys(ASKED, "")} for row in rows]
                files.write_text(draft / f"{TRIALS}{ending}", tables.format_table(rows))
                files.write_text(draft / f"{SCORES}{ending}", tables.format_table(sheet))


def _compute_hash(opened: Opened, names: Sequence[str], stimuli: Stimuli, real: Clips) -> int:
    """Of the model and of what is played: who knows one key knows no other, and a sheet fits no other key."""
    told = repr((opened.digest, list(names))).encode("utf-8", "backslashreplace")
    return zlib.crc32(real.audio.tobytes(), zlib.crc32(stimuli.latents.tobytes(), zlib.crc32(told)))


def _make_key(
    waves: Sequence[str], names: Sequence[str], stimuli: Stimuli, real: Clips, played: Sequence[Played], rate: int
) -> list[dict[str, Any]]:
    """The rows of key.csv: generated sounds in the order of the archive, then real clips."""
    count, dim = stimuli.latents.shape
    rows: list[dict[str, Any]] = []
    for number, (wave, name, one) in enumerate(zip(waves, names, played, strict=True)):
        is_real, other = number >= count, number - count
        labels = real.labels if is_real else stimuli.labels
        known = {} if is_real else {key: values[number] for key, values in stimuli.columns.items()}
        sure = "" if is_real or stimuli.posteriors is None else round(float(stimuli.posteriors[number]), 4)
        latent = [""] * dim if is_real else [float(f"{value:.9g}") for value in stimuli.latents[number]]
        rows.append(
            {
                "file": wave,
                "name": name,
                "is_real": "yes" if is_real else "no",
                "label": str(labels[other if is_real else number]) if labels is not None and len(labels) else "",
                "posterior": sure,
                **{column: known.get(column, "") for column in stimuli.columns},
                **{f"z{axis}": value for axis, value in enumerate(latent, 1)},
                "source": str(real.sources[other]) if is_real and real.sources is not None else "",
                "seconds": round(len(one.sound) / rate, 6),
                "gain": round(one.gain, 2),
            }
        )
    return rows
