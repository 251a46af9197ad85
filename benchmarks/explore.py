"""Measure how long a point of the latent space takes from the request to the last byte, as `explore` serves it.

    python benchmarks/explore.py [--points 200] [--rounds 3] [--decoders DIR]

The server runs in a process of its own, with an untrained WaveGAN of 32 channels and 4,096 samples and a page without
content. Points come one after another. Each round asks for all points without decoders, and then with the ESN, the
nearest neighbours and the SVM, trained on the built-in synthetic syllables of a second, or with those in --decoders.
Writes explore.json and explore.md into benchmarks/results.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

CORES = 2
os.environ |= {name: str(CORES) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}

import machine  # noqa: E402
import numpy as np  # noqa: E402

LATENT_DIM, DIM, SAMPLES, RATE = 3, 32, 4096, 16000
LIMIT_MS = 150
TOKEN = "benchmark"


def train_decoders(folder: Path) -> None:
    """The three decoders of canarygan-decoders, each in a folder of its own."""
    from canarygan_decoders.esn.decoder import ESN
    from canarygan_decoders.knn import KNN
    from canarygan_decoders.svm import SVM

    from canarygan_core.datasets.synthetic import Synthetic
    from canarygan_core.fitted import decoders

    clips = Synthetic(per_class=20).load()
    for decoder in (ESN(), KNN(), SVM()):
        facts = {"rate": RATE, "seconds": clips.audio.shape[1] / RATE}
        decoders.save(folder / decoder.name, decoder, decoder.fit(clips), facts=facts)


def serve(told: Connection, folder: Path | None) -> None:
    """Serve until the process is ended; tells its port."""
    import torch
    from canarygan_latents.explore import server
    from canarygan_latents.explore.app import build_app
    from canarygan_latents.explore.sounds import SoundMaker, open_thread
    from canarygan_wavegan.checkpoints import TrainedGenerator
    from canarygan_wavegan.model import Generator, Shape

    from canarygan_core.fitted import decoders
    from canarygan_core.plugins import get_registry

    torch.manual_seed(0)
    network = Generator(Shape(latent_dim=LATENT_DIM, dim=DIM, samples=SAMPLES))
    generator = TrainedGenerator((network, RATE, {"epoch": 0, "step": 0}, torch.float32), "cpu")
    trained = decoders.load_all([folder], get_registry()) if folder else []
    maker, listener = SoundMaker(generator, trained), server.bind(0)
    port = listener.getsockname()[1]
    with open_thread(maker.warm_up) as executor:
        told.send(port)
        app = build_app("<title>Benchmark</title>", maker.make, executor, dim=LATENT_DIM, token=TOKEN, port=port)
        server.serve(app, listener)


def ask(port: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The times of each point, ms: of the whole request, and of the generator in it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    whole, own = np.empty(len(points)), np.empty(len(points))
    for number, z in enumerate(points):
        body = json.dumps({"z": z.tolist()})
        start = time.perf_counter()
        connection.request("POST", f"/{TOKEN}/sound", body, {"X-Token": TOKEN})
        answer = connection.getresponse()
        sound = answer.read()
        whole[number] = 1000 * (time.perf_counter() - start)
        own[number] = float(answer.headers["X-Milliseconds"])
        assert len(sound) == 4 * SAMPLES
    connection.close()
    return whole, own


def measure(points: np.ndarray, folder: Path | None) -> dict[str, float]:
    """Half and 95 % of requests are answered within these times, ms; the first one is told alone."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=serve, args=(there, folder), daemon=True)
    process.start()
    port = here.recv()
    first, _ = ask(port, points[:1])
    whole, own = ask(port, points)
    load = os.getloadavg()[0]
    process.terminate()
    process.join()
    return {
        "first_ms": float(first[0]),
        "p50_ms": float(np.quantile(whole, 0.5)),
        "p95_ms": float(np.quantile(whole, 0.95)),
        "most_ms": float(whole.max()),
        "generator_p50_ms": float(np.quantile(own, 0.5)),
        "generator_share": float(own.sum() / whole.sum()),
        "load": round(load, 1),
    }


def describe(rows: list[dict[str, Any]], points: int, about: dict[str, object]) -> str:
    """The table of all rounds."""
    lines = [
        "# explore: the time of a point, from the request to its last byte",
        "",
        f"{points} points, one after another; WaveGAN with d = {DIM} and {SAMPLES:,} samples, untrained. The first is "
        f"asked for before the others. The limit is a p95 of {LIMIT_MS} ms. The load is that of the last "
        "minute, other work beside it included.",
        "",
        "| decoders | p50, ms | p95, ms | most, ms | first, ms | generator alone, p50, ms | its share | load |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    keys = ("p50_ms", "p95_ms", "most_ms", "first_ms", "generator_p50_ms")
    for row in rows:
        cells = [f"{row[key]:.1f}" for key in keys]
        lines.append(f"| {row['decoders']} | {' | '.join(cells)} | {row['generator_share']:.0%} | {row['load']} |")
    return "\n".join([*lines, "", machine.line(about), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--decoders", type=Path)
    given = parser.parse_args()
    about = machine.described()
    points = np.random.default_rng(0).uniform(-1, 1, (given.points, LATENT_DIM))
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        folder = given.decoders or Path(place)
        if given.decoders is None:
            train_decoders(folder)
        names = ", ".join(sorted(path.parent.name for path in folder.glob("*/decoder.json")))
        for _ in range(given.rounds):
            for label, chosen in (("none", None), (names, folder)):
                rows.append({"decoders": label, **measure(points, chosen)})
    machine.keep(
        "explore", {"machine": about, "points": given.points, "rows": rows}, describe(rows, given.points, about)
    )


if __name__ == "__main__":
    main()
