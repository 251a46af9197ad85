"""Readers of what a report is made from."""

import json
from pathlib import Path

import numpy as np

from canarygan_core.audio import archives
from fuzz import mutations
from fuzz.readers.reader import Reader, make_archive, write


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
