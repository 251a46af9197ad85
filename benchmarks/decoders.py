"""Compare the features and the echo state network with straightforward implementations in one run.

    python benchmarks/decoders.py [--clips 1600] [--many 16000] [--name decoders]

Everything is measured on two cores with the built-in synthetic syllables. Each time is the best of the repetitions.
Other work on the machine disturbs both sides; the load before and after is in the result. The results are written to
NAME.json and NAME.md in benchmarks/results.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CORES = 2
os.environ |= {name: str(CORES) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}

import machine  # noqa: E402
import numpy as np  # noqa: E402
from machine import best  # noqa: E402

RIDGE = 0.1


def by_librosa(path: str) -> np.ndarray:
    """The features of one file, computed in the plainest way with scipy and librosa."""
    import librosa
    import scipy.signal

    sound, _ = librosa.load(path, sr=16000)
    sound = librosa.util.normalize(librosa.util.fix_length(sound, size=16000))
    bins = scipy.signal.spectrogram(
        sound, 16000, "hann", 256, 128, 512, detrend=False, scaling="spectrum", mode="magnitude"
    )[2]
    scaled = np.log10(bins / 1e-4 + 1) / np.log10(1 / 1e-4 + 1)
    coefficients = librosa.feature.mfcc(S=librosa.feature.melspectrogram(S=scaled, sr=16000), n_mfcc=13)
    return np.vstack([librosa.feature.delta(coefficients, order=order) for order in (1, 2)]).T


def features(clips: int, folder: Path) -> dict[str, float]:
    """Clips a second from WAV files to features, both ways; and ours from clips in memory without a silent frame."""
    from canarygan_decoders.features import Features
    from canarygan_decoders.features.extraction import extract
    from joblib import Parallel, delayed

    from canarygan_core import audio
    from canarygan_core.clips import Clips
    from canarygan_core.datasets.synthetic import Synthetic

    sounds = Synthetic(per_class=-(-clips // 16)).load().audio[:clips]
    paths = [str(folder / f"{number:05d}.wav") for number in range(clips)]
    for path, sound in zip(paths, sounds, strict=True):
        audio.write(Path(path), sound, 16000)
    parameters = Features()

    def ours() -> np.ndarray:
        with ThreadPoolExecutor(CORES) as pool:
            read = np.stack(list(pool.map(lambda path: audio.read(Path(path), 16000).audio, paths)))
        return extract(Clips(read, 16000), parameters)

    workers = Parallel(CORES)
    with workers:
        workers(delayed(by_librosa)(path) for path in paths[:32])  # warm
        theirs = best(lambda: workers(delayed(by_librosa)(path) for path in paths), 2)
    noise = np.random.default_rng(0).standard_normal((clips, 16000), np.float32)
    extract(Clips(noise[:64], 16000), parameters)
    expected = np.stack([by_librosa(path) for path in paths[:16]])
    computed = extract(Clips(sounds[:16], 16000), parameters)
    np.testing.assert_allclose(computed, expected, atol=1e-3 * np.abs(expected).max())
    return {
        "librosa_files_per_s": clips / theirs,
        "ours_files_per_s": clips / best(ours, 3),
        "ours_padded_clips_in_memory_per_s": clips / best(lambda: extract(Clips(sounds, 16000), parameters), 3),
        "ours_noise_in_memory_per_s": clips / best(lambda: extract(Clips(noise, 16000), parameters), 3),
    }


def network(clips: int) -> dict[str, float]:
    """Measure fitting and prediction, clips a second, on the same features with the same matrices."""
    import torch
    from canarygan_decoders.esn.decoder import root_mean_square
    from canarygan_decoders.esn.readout import compute_scores, sum_states
    from canarygan_decoders.esn.reservoir import draw_reservoir
    from canarygan_decoders.features import Features
    from canarygan_decoders.features.extraction import extract
    from reservoirpy import ESN
    from reservoirpy.nodes import Reservoir, Ridge

    from canarygan_core.datasets.synthetic import Synthetic

    torch.set_num_threads(CORES)
    sounds = Synthetic(per_class=-(-clips // 16)).load()
    inputs = extract(sounds, Features())[:clips]
    targets = np.unique(sounds.labels, return_inverse=True)[1][:clips]
    rows, hot = np.arange(clips), np.eye(int(targets.max()) + 1)[targets]
    scaling = np.r_[np.full(13, 0.3), np.full(13, 0.21)] / root_mean_square(inputs)
    draw = {
        "leak": 0.05,
        "spectral_radius": 0.5,
        "bias_scaling": 1.0,
        "input_connectivity": 0.1,
        "rc_connectivity": 0.1,
    }
    pool = draw_reservoir(1000, scaling, **draw, seed=0)
    fast = pool.to(torch.float32)
    sum_states(fast, inputs, hot, rows[:128])
    readouts = []
    fit = best(lambda: readouts.append(sum_states(fast, inputs, hot, rows).solve(RIDGE)), 2)
    weights, bias = (torch.tensor(part) for part in readouts[-1])
    predict = best(lambda: compute_scores(fast, weights, bias, inputs, "mean"), 2)
    ours = compute_scores(fast, weights, bias, inputs, "mean").argmax(1)

    series = list(inputs.astype(np.float64))
    their_targets = [np.tile(row, (inputs.shape[1], 1)) for row in hot]
    from scipy.sparse import csr_array

    node = Reservoir(
        W=csr_array(pool.recurrent.numpy()), Win=csr_array(pool.inputs.numpy()), bias=pool.bias.numpy(), lr=0.05
    )
    theirs = ESN(reservoir=node, readout=Ridge(ridge=RIDGE))
    their_fit = best(lambda: theirs.fit(series, their_targets), 1)
    outputs: list[np.ndarray] = []
    their_predict = best(lambda: outputs.extend(theirs.run(series)), 1)
    their_labels = np.array([output.mean(0).argmax() for output in outputs])
    return {
        "reservoirpy_fit_per_s": clips / their_fit,
        "ours_fit_per_s": clips / fit,
        "reservoirpy_predict_per_s": clips / their_predict,
        "ours_predict_per_s": clips / predict,
        "share_of_equal_labels": float(np.mean(their_labels == ours)),
    }


def peak_of_fit(clips: int) -> float:
    """Peak anonymous memory of a fit from memory-mapped features, MB: what a fit asks of the system."""
    script = f"""
import sys, tempfile, threading, time
import numpy as np
from pathlib import Path
from canarygan_decoders.esn.readout import sum_states
from canarygan_decoders.esn.reservoir import draw_reservoir
import torch
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "f.npy"
    mapped = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=({clips}, 124, 26))
    rng = np.random.default_rng(0)
    for start in range(0, {clips}, 256):
        mapped[start:start + 256] = rng.standard_normal((min(256, {clips} - start), 124, 26), np.float32)
    del mapped
    inputs = np.load(path, mmap_mode="r")
    targets = np.eye(16)[np.arange({clips}) % 16]
    pool = draw_reservoir(200, np.ones(26), leak=.05, spectral_radius=.5, bias_scaling=1., input_connectivity=.1,
                          rc_connectivity=.1, seed=0).to(torch.float32)
    peak, done = [0], threading.Event()
    def watch():
        while not done.wait(0.01):
            status = dict(line.split(":", 1) for line in open("/proc/self/status"))
            peak[0] = max(peak[0], int(status["RssAnon"].split()[0]))
    thread = threading.Thread(target=watch); thread.start()
    sum_states(pool, inputs, targets, np.arange({clips})).solve({RIDGE})
    done.set(); thread.join()
    print(peak[0] / 1024)
"""
    return float(subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=1600)
    parser.add_argument("--many", type=int, default=16000)
    parser.add_argument("--name", default="decoders")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    about = machine.described()
    with tempfile.TemporaryDirectory() as folder:
        result: dict[str, object] = {"machine": about, "features": features(options.clips, Path(folder))}
    result["esn"] = network(options.clips)
    result["peak_mb_of_fit"] = {str(count): peak_of_fit(count) for count in (options.clips, options.many)}
    result |= {"clips": options.clips, "load_after": os.getloadavg()[0]}
    machine.keep(options.name, result, text(result, about))


def text(result: dict, about: dict[str, object]) -> str:
    """The result as a table."""
    speed, esn, peak = result["features"], result["esn"], list(result["peak_mb_of_fit"].items())
    rows = [
        ("features, from WAV files", speed["librosa_files_per_s"], speed["ours_files_per_s"]),
        ("ESN, fit", esn["reservoirpy_fit_per_s"], esn["ours_fit_per_s"]),
        ("ESN, predict", esn["reservoirpy_predict_per_s"], esn["ours_predict_per_s"]),
    ]
    lines = [
        "# Decoders: against straightforward implementations",
        "",
        f"{result['clips']} one-second clips at 16 kHz, {CORES} cores. Features against per-file librosa under warm "
        "joblib workers; the network (1000 units) against reservoirpy's `ESN` with the same matrices, which runs one "
        "series into the next.",
        "",
        "| | theirs, clips/s | ours, clips/s | ratio |",
        "| --- | ---: | ---: | ---: |",
        *(f"| {name} | {theirs:.0f} | {ours:.0f} | {ours / theirs:.1f} |" for name, theirs, ours in rows),
        "",
        f"Features of clips in memory: {speed['ours_padded_clips_in_memory_per_s']:.0f} clips/s of synthetic "
        f"syllables, {speed['ours_noise_in_memory_per_s']:.0f} on noise without a silent frame.",
        f"Equal labels from both networks: {esn['share_of_equal_labels']:.3f}.",
        "Peak memory of a fit (200 units): "
        + ", ".join(f"{value:.0f} MB for {count} clips" for count, value in peak)
        + ".",
        "",
        machine.line(about),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
