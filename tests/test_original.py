"""The original's defaults, restored by one file; its values are those that its documents and its --help state."""

import tomllib
from pathlib import Path

import pytest

from canarygan_core.cli.binding import Command
from canarygan_core.errors import UsageError
from canarygan_core.plugins import get_registry

for plugin in ("wavegan", "decoders", "metrics"):
    pytest.importorskip(f"canarygan_{plugin}")

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "docs" / "original.toml"
NEEDED = {
    "train-gan": "-d data",
    "sample": "",
    "generate": "-x a.ckpt",
    "build-decoder-dataset": "-d data",
    "train-decoders": "-d data",
    "train-inception": "-d data",
    "inception gan": "-m a.ckpt -x b.ckpt",
    "umap": "-d data -g generated",
}
DOCUMENTED = {
    "train-gan": {
        "model": {
            "dim": 64,
            "latent_dim": 3,
            "slice_len": 16384,
            "phase_shuffle": 0,
            "critic_updates": 5,
            "penalty": 10.0,
            "lr": 1e-4,
            "beta1": 0.5,
            "beta2": 0.9,
            "batch_norm": False,
            "upsampling": "zeros",
            "ema": 0.0,
            "fresh_batches": False,
            "interpolate": "samples",
        },
        "dataset": {"gain": "none", "sampling_rate": 16000},
        "training": {
            "max_epochs": 1000,
            "batch_size": 64,
            "devices": 1,
            "num_nodes": 1,
            "log_every_n_steps": 50,
            "save_every_n_epochs": 15,
            "precision": "32",
        },
    },
    "sample": {
        "": {"n_samples": 16000, "dim": 3, "dist": "uniform", "dist_params": '{"low": -1, "high": 1}', "seed": 0}
    },
    "generate": {"": {"batch_size": 100, "device": "cpu", "device_idx": 0, "compressed": True}},
    "build-decoder-dataset": {
        "features": {
            "features": "deltas",
            "n_mfcc": 13,
            "sampling_rate": 16000,
            "norm_audio": False,
            "max_length": 1.0,
            "mfcc": False,
            "lifter": 0,
            "padding": "interp",
            "hop_length": 128,
            "win_length": 256,
            "fmin": 500,
            "fmax": 8000,
            "n_fft": 512,
            "n_mels": 128,
        },
        "": {"split": 0.1, "augment": 0, "seed": 0},
    },
    "train-decoders": {
        "esn": {
            "units": 1000,
            "spectral_radius": 0.5,
            "leak": 0.05,
            "delta_scaling": 1.0,
            "delta2_scaling": 0.7,
            "bias_scaling": 1.0,
            "input_connectivity": 0.1,
            "rc_connectivity": 0.1,
            "ridge": 1e-8,
            "policy": "argmax",
        },
        "knn": {"k": 100},
        "svm": {"c": 0.1},
        "features": {"n_mfcc": 13, "norm_audio": False},
        "": {"split": 0.1, "augment": 0},
    },
    "train-inception": {
        "training": {"max_epochs": 20, "batch_size": 64, "log_every_n_steps": 50, "save_every_n_epochs": 1},
        "learning": {"early_stopping": False, "scale": "linear", "noise": 0.0},
        "dataset": {"gain": "none"},
        "": {"save_topk": 5},
    },
    "inception gan": {"scoring": {"n_split": 10, "batch_size": 100, "seed": 0}},
    "umap": {"projector": {"seconds": 0.3, "neighbors": 100, "min_dist": 0.9, "dimensions": 2, "map_seed": 42}},
}


@pytest.fixture
def registry():
    return get_registry()


def bind(registry, task, words):
    return Command(registry.task(task.split()), words, registry).bind(words).arguments


@pytest.mark.parametrize("task", DOCUMENTED)
def test_the_file_restores_what_the_original_states(registry, task):
    arguments = bind(registry, task, [*NEEDED[task].split(), "--config", str(CONFIG)])
    several = {part.name: part for value in arguments.values() if isinstance(value, list) for part in value}
    for name, values in DOCUMENTED[task].items():
        part = {**arguments, **several}.get(name)
        found = {key: arguments[key] if part is None else getattr(part, key) for key in values}
        assert found == values, name


def test_the_file_has_no_table_that_is_not_checked_and_the_page_names_each_key_that_differs(registry):
    tables = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["task"]
    assert tables.keys() == DOCUMENTED.keys()
    page = (ROOT / "docs" / "original.md").read_text(encoding="utf-8")
    for task, table in tables.items():
        words = NEEDED[task].split()
        restored, ours = (bind(registry, task, [*words, *more]) for more in (["--config", str(CONFIG)], []))
        for key, value in table.items():
            for inner, _ in value.items() if isinstance(value, dict) else ():
                parts = [next(one for one in side["model"] if one.name == key) for side in (restored, ours)]
                differ = len({getattr(part, inner.replace("-", "_")) for part in parts}) > 1
                assert not differ or f"--{key}.{inner}" in page, (task, key, inner)
        if task not in ("train-decoders",):
            for name in table:
                values = {repr(_find(side, name.replace("-", "_"))) for side in (restored, ours)}
                assert len(values) == 1 or f"--{name}" in page or f"--no-{name}" in page, (task, name)


def _find(arguments, name):
    if name in arguments:
        return arguments[name]
    return next(getattr(part, name) for part in arguments.values() if hasattr(part, name))


def test_a_file_gives_each_task_its_own_table(registry, tmp_path):
    path = tmp_path / "options.toml"
    path.write_text("seed = 3\n[task.sample]\ndim = 5\nseed = 4\n[task.umap]\nmin_dist = 0.5\n")
    arguments = bind(registry, "sample", ["--config", str(path)])
    assert (arguments["dim"], arguments["seed"]) == (5, 4)
    arguments = bind(registry, "train-gan", ["--config", str(path)])
    assert arguments["training"].seed == 3
    path.write_text("[task.sample]\ndims = 5\n")
    with pytest.raises(UsageError, match=r"there is no option 'dims'\. Did you mean dim"):
        bind(registry, "sample", ["--config", str(path)])
    for text in ("task = 3", "[task]\nsample = 3"):
        path.write_text(text)
        with pytest.raises(UsageError, match="task holds one table of options a task"):
            bind(registry, "sample", ["--config", str(path)])


def test_options_of_the_original_are_taken(registry):
    words = ["-m", "a", "-x", "b", "--latent_dim", "3", "--n_samples", "10"]
    assert bind(registry, "inception gan", words)["latent_dim"] == 3
    assert bind(registry, "train-decoders", ["-d", "data", "--dim", "20", "--n_mfcc", "20"])["dim"] == 20


def test_the_preset_of_the_gan_is_what_the_file_says(registry):
    words = ["-d", "data"]
    restored = bind(registry, "train-gan", [*words, "--config", str(CONFIG)])
    chosen = bind(registry, "train-gan", [*words, "--preset", "original"])
    for part in ("model", "dataset", "training"):
        assert chosen[part] == restored[part]
