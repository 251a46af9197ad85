"""Readers of classifiers, maps and inception scores."""

from pathlib import Path

import numpy as np

from canarygan_core import plugins
from canarygan_core.fitted import decoders
from fuzz import mutations
from fuzz.readers.decoders import read_decoder
from fuzz.readers.reader import RATE, Reader, make_archive, make_clips, mend_folder


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
