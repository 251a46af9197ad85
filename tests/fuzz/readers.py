"""Every reader of files: what makes a small file for it, what is done to that file, and what reads it.

A plugin that is not installed brings no readers.
"""

import importlib.util
import inspect
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from canarygan_core import audio, plugins, runs
from canarygan_core.audio import archives, soundfiles, sounds, stretches
from canarygan_core.cli import layers
from canarygan_core.clips import Clips
from canarygan_core.datasets import cache
from canarygan_core.fitted import decoders, latents
from canarygan_core.lightning.resuming import check_same_options
from canarygan_core.lightning.training import SHAPING
from canarygan_core.runs import Manifest, Request, files, seals
from canarygan_core.runs.verification import Verification
from canarygan_core.tasks.train_gan import train_gan
from fuzz import mutations

Mutate = Callable[[random.Random, bytes], bytes]

RATE = 16000

OPTIONS = {
    "model": {"name": "wavegan", "options": {"dim": 2}},
    "dataset": {"name": "folder", "options": {"data_dir": "d"}},
    "training": {"seed": 0},
    "task": {},
}


@dataclass(frozen=True)
class Reader:
    """One reader, with a file that it reads.

    Attributes:
        name: what it reads.
        file: below the folder that `make` fills, the file that is damaged.
        make: writes the file, and what has to lie beside it, into an empty folder.
        mutate: damages the content.
        read: reads the folder.
        mend: after the damage, makes the records beside the file agree with it, so that it is looked into.
    """

    name: str
    file: str
    make: Callable[[Path], None]
    mutate: Mutate
    read: Callable[[Path], Any]
    mend: Callable[[Path], None] = lambda folder: None


def list_readers() -> list[Reader]:
    """All readers of what is installed."""
    found = list_kernel_readers()
    for plugin, listed in (
        ("canarygan_wavegan", list_wavegan_readers),
        ("canarygan_decoders", list_decoder_readers),
        ("canarygan_metrics", list_metric_readers),
        ("canarygan_report", list_report_readers),
        ("canarygan_recordings", list_recording_readers),
        ("canarygan_latents", list_latent_readers),
    ):
        found += listed() if importlib.util.find_spec(plugin) else []
    return found


def make_clips(count: int = 6, samples: int = 1600) -> Clips:
    """A few clips of two classes."""
    sound = np.random.default_rng(0).standard_normal((count, samples)).astype(np.float32) / 4
    return Clips(
        sound, RATE, labels=np.array(["a", "b"] * (count // 2)), sources=np.array([f"{n}.wav" for n in range(count)])
    )


def make_archive(folder: Path) -> None:
    """A generation archive with the labels of a decoder, and its manifest."""
    labels = np.array(["a", "b", "X", "a"])
    content = {
        **{
            "x": make_clips(4).audio,
            "z": np.zeros((4, 3), np.float32),
            "rate": RATE,
            "version": "0",
            "epoch": 1,
            "step": 8,
        },
        **{"checkpoint": "sha256:0", "held_out": np.array(["a/0.wav"]), "group_by": "none", "y_knn": labels},
        **{
            "label_knn": labels,
            "posteriors_knn": np.full((4, 2), 0.5, np.float32),
            "syllable_knn": np.ones(4, np.float32),
        },
        **{
            "classes_knn": np.array(["a", "b"]),
            "threshold_knn": 0.5,
            "label": labels,
            "agreement": np.ones(4, np.float32),
        },
        **{"posterior": np.ones(4, np.float32), "syllable": np.ones(4, np.float32)},
    }
    with Manifest.begin(folder / "g.manifest.json", Request("generate")) as manifest:
        with archives.writing(folder / "g.npz", 0) as writer:
            for name, values in content.items():
                writer.add(name, values)
        manifest.add_output(folder / "g.npz")


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


def write(name: str, content: str | bytes) -> Callable[[Path], None]:
    """What writes one file into a folder."""
    data = content.encode() if isinstance(content, str) else content

    def make(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return make


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


def list_wavegan_readers() -> list[Reader]:
    def make(folder: Path) -> None:
        import torch
        from canarygan_wavegan.model import Generator, Shape

        shape = Shape(latent_dim=2, dim=1, samples=4096)
        record = {"schema": 1, "shape": vars(shape), "rate": RATE, "average": False, "per_epoch": 5}
        weights = {f"generator.{name}": part for name, part in Generator(shape).state_dict().items()}
        torch.save({"updates": 12, "wavegan": record, "state_dict": weights, "epoch": 2}, folder / "a.ckpt")

    def make_original(folder: Path) -> None:
        import torch

        sizes = [16, 8, 4, 2, 1, 1]
        weights = {
            "generator.linear_block.0.weight": torch.randn(256, 2),
            "generator.linear_block.0.bias": torch.randn(256),
        }
        for level in range(5):
            name = f"generator.deconvnet.{2 * level}.block"
            weights |= {
                f"{name}.weight": torch.randn(sizes[level], sizes[level + 1], 25),
                f"{name}.bias": torch.randn(sizes[level + 1]),
            }
        hyper = {"slice_len": 16384}
        torch.save({"state_dict": weights, "epoch": 3, "global_step": 9, "hyper_parameters": hyper}, folder / "a.ckpt")

    def read(folder: Path) -> None:
        from canarygan_wavegan.checkpoints import load

        generator = load(folder / "a.ckpt")
        if generator.samples * generator.latent_dim < 1 << 20:
            generator.generate(np.zeros((1, generator.latent_dim), np.float32))

    change = mutations.mutate_checkpoint
    return [
        Reader("checkpoint", "a.ckpt", make, change, read),
        Reader("checkpoint of the original", "a.ckpt", make_original, change, read),
    ]


def list_decoder_readers() -> list[Reader]:
    from canarygan_decoders.dataset import decoder_dataset
    from canarygan_decoders.dataset.examples import Examples
    from canarygan_decoders.esn.decoder import ESN
    from canarygan_decoders.esn.reservoir import read_reservoir
    from canarygan_decoders.features import Features
    from canarygan_decoders.features.config_file import read_config
    from canarygan_decoders.knn import KNN
    from canarygan_decoders.svm import SVM
    from canarygan_decoders.tasks import search

    parameters = Features(max_length=0.1)
    components = {"knn": KNN(), "svm": SVM(), "esn": ESN(units=8)}

    def save(name: str) -> Callable[[Path], None]:
        def make(folder: Path) -> None:
            fitted = components[name].fit(make_clips(20), parameters=parameters)
            facts = {"dataset": {"dataset": "folder", "filter": {"highpass": 500.0}}, "trained_on": 20}
            decoders.save(folder / name, components[name], fitted, threshold=0.3, facts=facts)

        return make

    def make_set(folder: Path) -> None:
        examples = Examples.from_clips(make_clips(), parameters)
        decoder_dataset.write_dataset(folder, decoder_dataset.DecoderDataset(examples, {"clean": examples}))

    def read_set(folder: Path) -> None:
        prepared = decoder_dataset.read_dataset(folder)
        assert len(prepared.train.classes) < 1000
        for part in (prepared.train, *prepared.tests.values()):
            np.asarray(part.features[:2]), part.is_original, part.folds(3)

    def make_journal(folder: Path) -> None:
        line = {"search": "k", "trial": 0, "options": {"ridge": 0.1}, "folds": [0.5, 0.25, 1.0]}
        (folder / "j.jsonl").write_text("".join(json.dumps(line | {"trial": one}) + "\n" for one in range(3)))

    def make_reservoir(folder: Path) -> None:
        np.savez(folder / "r.npz", W=np.eye(4), Win=np.ones((4, 3)), bias=np.zeros(4))

    readers = [
        Reader("preprocessed set", "decoder-dataset.npz", make_set, mutations.mutate_zip, read_set),
        Reader("feature parameters", "decoder-dataset.config.yml", make_set, mutations.mutate_text, read_set),
        Reader(
            "--search journal",
            "j.jsonl",
            make_journal,
            mutations.mutate_text,
            lambda folder: search._read_journal(folder / "j.jsonl", "k"),
        ),
        Reader(
            "reservoir",
            "r.npz",
            make_reservoir,
            mutations.mutate_zip,
            lambda folder: read_reservoir(folder / "r.npz", np.ones(3), 0.5),
        ),
        Reader(
            "-p parameters",
            "decoder-dataset.config.yml",
            make_set,
            mutations.mutate_text,
            lambda folder: read_config(folder / "decoder-dataset.config.yml"),
        ),
    ]
    kinds: dict[str, Mutate] = {
        "decoder.json": mutations.mutate_json,
        "component.json": mutations.mutate_json,
        "decoder-dataset.config.yml": mutations.mutate_text,
        "state.npz": mutations.mutate_zip,
    }
    return readers + [
        Reader(f"decoder {name}", f"{name}/{file}", save(name), change, read_decoder, mend_folder)
        for name in components
        for file, change in kinds.items()
    ]


def read_decoder(folder: Path) -> None:
    """Load the decoders in a folder, and let them judge."""
    for one in decoders.load_all([folder], plugins.get_registry()):
        if one.rate * one.seconds < 1 << 18:
            one.judge(make_clips(2))
        decoders.find_context([one])


def mend_folder(folder: Path) -> None:
    """Make the record of a component's folder agree with its files, where it is still one."""
    for record in folder.glob("*/*.json"):
        if record.stem not in ("decoder", "projector"):
            continue
        try:
            held = json.loads(record.read_text())
            for name in held["files"]:
                held["files"][name] = files.compute_digest(record.with_name(name))
            record.write_text(seals.dump(held))
        except (ValueError, KeyError, TypeError, OSError, AttributeError, RecursionError):
            return


def list_metric_readers() -> list[Reader]:
    import yaml
    from canarygan_metrics.classifier import classifier
    from canarygan_metrics.classifier.decoder import CNN, FittedCNN
    from canarygan_metrics.classifier.network import Network
    from canarygan_metrics.classifier.spectrogram import Spectrogram
    from canarygan_metrics.inception import record
    from canarygan_metrics.umap import fitted, placements
    from canarygan_metrics.umap.layout import Layout
    from canarygan_metrics.umap.options import MapOptions
    from canarygan_metrics.umap.projector import UMAP
    from canarygan_metrics.umap.vectors import Reduction, Spectrograms

    def make_classifier(folder: Path) -> None:
        import torch

        sizes = Spectrogram(samples=2048, n_fft=256, n_mels=16)
        told = classifier.describe(sizes, make_clips(), ["a/0.wav"])
        weights = {f"network.{name}": part for name, part in Network(16, sizes.frames, 2).state_dict().items()}
        torch.save({"state_dict": weights, "inception": told, "updates": 3}, folder / "a.ckpt")

    def make_cnn(folder: Path) -> None:
        cnn = CNN(channels=2, bands=16, seconds=0.128)
        network = Network(16, cnn.sizes.frames, 2, 2).eval()
        decoders.save(folder / "cnn", cnn, FittedCNN(cnn, ("a", "b"), network, 1.0, None))

    def make_map(folder: Path) -> None:
        options, shapes = MapOptions(seconds=0.02), Spectrograms(0.02, 40.0, RATE)
        size = int(np.prod(shapes.shape))
        reduction = Reduction(np.zeros(size, np.float32), np.zeros((size, 3), np.float16), 0.1)
        layout = Layout(np.zeros((5, 4), np.float32), np.zeros((5, 2), np.float32), 3, 1.0, 1.0, 42)
        from canarygan_core.fitted.projectors import FORMAT

        FORMAT.save(
            folder / "umap",
            UMAP(),
            fitted.FittedUMAP(options, shapes, reduction, layout),
            {"rate": RATE, "samples": 480},
        )

    def make_placement(folder: Path) -> None:
        make_archive(folder)
        clusters = np.zeros(4, np.int64)
        scale = placements.Scale(3, 2)
        points = np.zeros((4, 2), np.float32)
        placed = placements.Placement(points, clusters, np.array(["a", "b", "X", "a"]), scale, 5)
        placed.write(placements.Generation.read(folder / "g.npz"), {"archive": "0"})

    def make_scores(folder: Path) -> None:
        one = {"is_mean": 2.5, "is_std": 0.1, "is_whole": 2.6, "is_interval_95": [2.4, 2.7], "clips": 40, "splits": 2}
        row = {"epoch": 1, "step": 8, **one, "checkpoint": "sha256:0", "file": "a.ckpt"}
        told = {"version": "0", "classifier": {"path": "c", "digest": "d", "classes": ["a"]}, "n_split": 2, "seed": 0}
        (folder / "is_scores-version_0.yml").write_text(
            yaml.safe_dump({**told, "rows": [row, row], "context": {"real": one}})
        )

    def load_map(folder: Path) -> None:
        from canarygan_core.fitted import projectors

        projectors.load(folder / "umap", plugins.get_registry())

    def read_classifier(folder: Path) -> None:
        found = classifier.load(folder / "a.ckpt")
        if found.sizes.samples < 1 << 17:
            found.classify(make_clips(2))

    scores = "is_scores-version_0.yml"
    zip_, json_ = mutations.mutate_zip, mutations.mutate_json
    return [
        Reader("classifier", "a.ckpt", make_classifier, mutations.mutate_checkpoint, read_classifier),
        Reader("decoder cnn", "cnn/decoder.json", make_cnn, json_, read_decoder, mend_folder),
        Reader("decoder cnn", "cnn/component.json", make_cnn, json_, read_decoder, mend_folder),
        Reader("decoder cnn", "cnn/state.npz", make_cnn, zip_, read_decoder, mend_folder),
        Reader("map", "umap/projector.json", make_map, json_, load_map, mend_folder),
        Reader("map", "umap/component.json", make_map, json_, load_map, mend_folder),
        Reader("map", "umap/state.npz", make_map, zip_, load_map, mend_folder),
        Reader(
            "places on a map",
            "g.umap.npz",
            make_placement,
            zip_,
            lambda folder: placements.Placement.read(placements.Generation.read(folder / "g.npz"), {"archive": "0"}),
        ),
        Reader(
            "archives of umap",
            "g.npz",
            make_archive,
            zip_,
            lambda folder: placements.find_generations(folder, None, None),
        ),
        Reader(
            "inception scores",
            scores,
            make_scores,
            mutations.mutate_text,
            lambda folder: record.read_earlier(folder / scores, {"seed": 0}),
        ),
    ]


def list_report_readers() -> list[Reader]:
    from canarygan_report import material, records

    def make_scores(folder: Path) -> None:
        null = {"generated": 3, "scores": {"a": {"score": 1.0, "p": 0.5, "verdict": "inside"}}}
        one = {"options": {}, "scores": {"a": 1.0}, "units": {"a": "dB"}, "better": {"a": "larger"}, "null": null}
        one |= {"context": {"real": {"a": 0.5}}, "warnings": ["few"], "clips": {"generated": 3}}
        (folder / "scores.json").write_text(
            json.dumps({"metrics": {"fad": one}, "generated": {"clips": 3}, "tests": {}})
        )

    def make_confusion(folder: Path) -> None:
        with archives.writing(folder / "metrics-knn.npz", 0) as writer:
            for name, values in {
                "confusion": np.eye(2, dtype=int),
                "classes": ["a", "b"],
                "accuracy": 1.0,
                "interval_95": [0.5, 1.0],
            }.items():
                writer.add(name, values)

    def make_map(folder: Path) -> None:
        with archives.writing(folder / "real.umap.npz", 0) as writer:
            for name, values in {
                "coordinates": np.zeros((3, 2), np.float32),
                "labels": ["a", "b", "a"],
                "sources": ["x", "y", "z"],
                "reducer": "0",
            }.items():
                writer.add(name, values)

    log = "step,epoch,critic/loss\n1,0.1,2.5\n2,0.2,-1\n3,0.3,nan\n"
    row = "{epoch: 1, step: 2, is_mean: 2.5, is_std: 0.1, is_interval_95: [1, 2]}"
    scores = f"rows:\n- {row}\ncontext:\n  real: {{is_mean: 3}}\nseed: 0\n"
    zip_ = mutations.mutate_zip

    def read_generated(folder: Path) -> None:
        found = material.read_generated(folder)
        material.count_unusable(found.audio)
        material.count_shares(found.labels)

    return [
        Reader(
            "report: log",
            "m.csv",
            write("m.csv", log),
            mutations.mutate_text,
            lambda folder: records.read_curves(folder / "m.csv"),
        ),
        Reader(
            "report: inception",
            "i.yml",
            write("i.yml", scores),
            mutations.mutate_text,
            lambda folder: records.read_inception(folder / "i.yml"),
        ),
        Reader(
            "report: scores",
            "scores.json",
            make_scores,
            mutations.mutate_json,
            lambda folder: records.read_scores(folder / "scores.json"),
        ),
        Reader(
            "report: confusion",
            "metrics-knn.npz",
            make_confusion,
            zip_,
            lambda folder: records.read_confusion(folder / "metrics-knn.npz"),
        ),
        Reader(
            "report: map",
            "real.umap.npz",
            make_map,
            zip_,
            lambda folder: material.read_layout(folder / "real.umap.npz"),
        ),
        Reader("report: archive", "g.npz", make_archive, zip_, read_generated),
    ]


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


def list_latent_readers() -> list[Reader]:
    from canarygan_latents.inversion import archive, inverting, judging
    from canarygan_latents.opening import Opened
    from canarygan_latents.stimuli import points, sheets

    def make_inversion(folder: Path) -> None:
        clips, column = make_clips(4), np.ones(4, np.float32)
        generator: Any = SimpleNamespace(rate=RATE, progress={"epoch": 1, "step": 2})
        found = inverting.Inverted(np.zeros((4, 3), np.float32), clips.audio, column, column, column)
        errors = judging.Errors(column, column, column, column, np.array(["a/1.wav"] * 4), column[:2])
        archive.write(folder / "i.npz", Opened(generator, folder / "a.ckpt", "sha256:0", "0"), clips, found, errors)

    def read_inversion(folder: Path) -> None:
        archive.load(folder / "i.npz")

    key = "file,name,is_real,label,z1\nbcd.wav,a_1,no,A,'-0.5\nfgh.wav,real_1,yes,b,\n"
    sheet = "trial;file;label;is_real;confidence\n1;bcd.wav;A;yes;0,5\n2;fgh.wav;b;;\n3;bcd.wav;;no;4\n"
    pairs = 'from,to\na,b\n"0.1,-0.2","0.3,0.4"\n'

    def make(folder: Path) -> None:
        (folder / "key.csv").write_text(key)
        (folder / "ana.csv").write_text(sheet)

    def read(folder: Path) -> None:
        sheets.read_sheet(folder / "ana.csv", sheets.read_key(folder / "key.csv"))

    text = mutations.mutate_text
    return [
        Reader("inversion", "i.npz", make_inversion, mutations.mutate_zip, read_inversion),
        Reader("key of stimuli", "key.csv", make, text, read),
        Reader("scoring sheet", "ana.csv", make, text, read),
        Reader(
            "morph --pairs", "p.csv", write("p.csv", pairs), text, lambda folder: points.read_table(folder / "p.csv")
        ),
    ]
