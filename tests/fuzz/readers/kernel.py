"""Readers of the kernel: runs, archives, latents, the cache of clips, tables and options."""

import inspect
import json
from pathlib import Path

import numpy as np

from canarygan_core import audio, runs
from canarygan_core.audio import soundfiles, sounds, stretches
from canarygan_core.cli import layers
from canarygan_core.datasets import cache
from canarygan_core.fitted import latents
from canarygan_core.lightning.resuming import check_same_options
from canarygan_core.lightning.training import SHAPING
from canarygan_core.runs import Manifest, Request, seals
from canarygan_core.runs.verification import Verification
from canarygan_core.tasks.train_gan import train_gan
from fuzz import mutations
from fuzz.readers.reader import RATE, Reader, make_archive, make_clips, write

OPTIONS = {
    "model": {"name": "wavegan", "options": {"dim": 2}},
    "dataset": {"name": "folder", "options": {"data_dir": "d"}},
    "training": {"seed": 0},
    "task": {},
}


def make_run(folder: Path) -> None:
    """A version of a run, with a manifest that knows all keys."""
    request = Request("train-gan", ("train-gan", "-d", "d"), OPTIONS)
    version = folder / "checkpoints" / "version_0"
    (version / "last").mkdir(parents=True)
    (version / "last" / "last.ckpt").write_bytes(b"x")
    origin = {"dataset": "folder", "options": {}, "fingerprint": "0", "path": "d", "filter": {"highpass": None}}
    facts = {"dataset": origin, "seed": 0, "held_out": {"sources": ["a/0.wav"], "fingerprint": "0", "group_by": "none"}}
    manifest = Manifest.begin(version / "manifest.json", request, **facts)
    manifest.begin_again(request).add_input("latents", version / "last" / "last.ckpt")
    manifest.add_output(version / "last" / "last.ckpt")
    manifest.warn("look")


SIGNATURE = inspect.signature(train_gan).parameters


STARTED = Request("train-gan", options=OPTIONS)
FIXED = {"model": None, "dataset": None, "training": SHAPING}


def read_run(folder: Path) -> None:
    run = runs.find(folder)
    runs.list_versions(folder)
    record = run.manifest.record
    check_same_options(STARTED, runs.find_to_resume(folder, "infer", "train-gan"), FIXED)
    record.get("held_out", {}).get("sources", ())
    record.get("dataset", {}).get("fingerprint")
    layers.read_record(["--resume", "--save-dir", str(folder)], [], "train-gan", SIGNATURE)


def verify(folder: Path) -> None:
    Verification(lambda record, path: iter(())).verify(folder)


def list_kernel_readers() -> list[Reader]:
    json_, text, zip_, array = (
        mutations.mutate_json,
        mutations.mutate_text,
        mutations.mutate_zip,
        mutations.mutate_array,
    )
    version = "checkpoints/version_0/manifest.json"

    def make_latents(folder: Path) -> None:
        np.save(folder / "z.npy", np.zeros((4, 3), np.float32))

    def make_entry(folder: Path) -> None:
        clips = make_clips()
        with cache.write_array(folder / "audio.npy", len(clips), clips.samples) as stream:
            stream.write(clips.audio.tobytes())
        cache.write_table(
            folder, {"labels": clips.labels, "sources": clips.sources}, fingerprint="0", notes=[[20, "x"]]
        )

    def read_sounds(folder: Path) -> None:
        found = sounds.collect_sounds([folder / "g.npz"])
        for _ in sounds.read_clips(found, audio.Hearing(RATE, 1600)):
            pass

    config = "model = 'wavegan'\nmax-epochs = 3\n[task.train-gan]\nseed = 1\nmetric = ['a', 'b']\n"
    table = "file,onset,offset\na.wav,0.0,0.1\nb.wav,0.5,1.25\n"
    return [
        Reader("manifest", version, make_run, json_, read_run),
        Reader("verify: run", version, make_run, json_, verify),
        Reader("verify: archive", "g.manifest.json", make_archive, json_, verify),
        Reader("generation archive", "g.npz", make_archive, zip_, read_sounds),
        Reader("latents .npy", "z.npy", make_latents, array, lambda folder: latents.read(folder / "z.npy", 3)),
        Reader("latents .npz", "g.npz", make_archive, zip_, lambda folder: latents.read(folder / "g.npz", 3)),
        Reader("clip cache", "about.json", make_entry, json_, cache.read),
        Reader("clip cache", "audio.npy", make_entry, array, cache.read, mend_entry),
        Reader("clip cache", "table.npz", make_entry, zip_, cache.read, mend_entry),
        Reader("--config", "c.toml", write("c.toml", config), text, read_config),
        Reader("--onsets", "t.csv", write("t.csv", table), text, read_onsets),
        Reader(".rec of evTAF", "a.rec", make_evtaf, text, read_evtaf),
    ]


def mend_entry(folder: Path) -> None:
    about = json.loads((folder / "about.json").read_text())
    about["files"] = {name: f"xxh3:{seals.compute_hash(folder / name)}" for name in about["files"]}
    (folder / "about.json").write_text(seals.dump(about))


def read_config(folder: Path) -> None:
    layers.read_file(["--config", str(folder / "c.toml")], "train-gan")


def read_onsets(folder: Path) -> None:
    stretches.is_table(folder / "t.csv")
    stretches.assign_stretches([Path("a.wav"), Path("b.wav")], stretches.read_stretches(folder / "t.csv"))


def make_evtaf(folder: Path) -> None:
    (folder / "a.cbin").write_bytes(bytes(6400))
    (folder / "a.rec").write_text("ADFREQ =  32000\nSamples =  3200\nChans =  1\n")


def read_evtaf(folder: Path) -> None:
    soundfiles.read_stretch(folder / "a.cbin", RATE, 0.01, 0.04)
