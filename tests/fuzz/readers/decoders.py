"""Readers of decoders, and of what they are trained on."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from canarygan_core import plugins
from canarygan_core.fitted import decoders
from fuzz import mutations
from fuzz.readers.reader import Mutate, Reader, make_clips, mend_folder


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
