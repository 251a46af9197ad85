"""What the kernel's tests share: plugins made on the spot, and the command line in a process of its own."""

import functools
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import commands
import numpy as np
import pytest
import toy_tasks
from recordings import noise, put
from toy_decoders import RATE, Pitch
from toy_metrics import HEARD, Blind, Loudness, Peak, Trough, Wanting
from toy_models import Stubborn, Toy

from canarygan_core import hookimpl, plugins
from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.cli.binding import Command
from canarygan_core.clips import Clips
from canarygan_core.components import Component, Task
from canarygan_core.fitted import decoders
from canarygan_core.plugins import Plugin, Registry, builtin
from canarygan_core.runs import Manifest, Request
from canarygan_core.tasks import generate, notebook, sample, score
from canarygan_core.testing import toy_clips

ROOT = Path(__file__).parents[1]


class Site:
    """A folder of installed distributions, which processes started by `run` see besides what is really installed."""

    def __init__(self, folder):
        self.folder, self.names = folder, []

    def install(self, point, source, *, distribution=None, module=None, version="1.0"):
        """Install a distribution whose entry point is a module of this source."""
        distribution, module = distribution or f"canarygan-{point}", module or f"plugin_{point.replace('-', '_')}"
        (self.folder / f"{module}.py").write_text(source, encoding="utf-8")
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[canarygan]\n{point} = {module}\n")
        self.names.append(point)

    def run(self, *words, chosen=None, program=("-m", "canarygan"), cwd=None, **environment):
        """Run a command in a process of its own, with the plugins installed here alone unless others are chosen."""
        path = os.pathsep.join([str(self.folder), str(ROOT)])
        chosen = ",".join(self.names) if chosen is None else chosen
        return subprocess.run(
            [sys.executable, *program, *words],
            env={
                **os.environ,
                "CANARYGAN_CACHE": str(self.folder / ".cache"),
                "PYTHONPATH": path,
                "CANARYGAN_PLUGINS": chosen,
                **environment,
            },
            cwd=cwd or self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder)


@pytest.fixture
def offer():
    """A function that makes a registry of the built-in offers and of these classes and tasks."""

    def make(*offers):
        registry = Registry()
        registry.add(Plugin("canarygan", "canarygan", "0"), builtin)
        module = types.ModuleType("toys")
        kinds = {}
        for one in offers:
            kinds.setdefault("task" if isinstance(one, Task) else one.kind, []).append(one)
        for kind, these in kinds.items():
            setattr(module, f"register_{kind}s", hookimpl(lambda these=these: these))
        if kinds:
            registry.add(Plugin("toys", "canarygan-toys", "1.0"), module)
        assert not [plugin for plugin in registry.plugins if plugin.failure]
        assert all(isinstance(one, Task) or issubclass(one, Component) for one in offers)
        return registry

    return make


@pytest.fixture
def installed(offer, monkeypatch):
    """A function that makes the whole system find these classes and tasks, and nothing that is really installed."""

    def make(*offers):
        registry = offer(*offers)
        for module in (main, generate, notebook, plugins, sample):
            monkeypatch.setattr(module, "get_registry", lambda: registry)
        return registry

    return make


@pytest.fixture
def registry(offer):
    """The built-in offers, and those of `toy_tasks`."""
    return offer(*toy_tasks.OFFERS)


@pytest.fixture
def bind(registry):
    """A function from words to the dataset, model, metrics, group, folder and request that they give."""

    def bound(*words):
        return Command(toy_tasks.WORK, words, registry).bind(words)().data

    return bound


@pytest.fixture
def toml(tmp_path):
    """A function that writes an options file and gives the words that name it."""

    def write(text):
        (tmp_path / "options.toml").write_text(text, encoding="utf-8")
        return "--config", str(tmp_path / "options.toml")

    return write


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The cache's folder, of this test alone."""
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "folder"


@pytest.fixture
def data(tmp_path):
    """Two classes of three clips, with peaks of 0.1 to 0.6."""
    for number in range(6):
        put(tmp_path / "data" / "ab"[number // 3] / f"{number}.wav", noise(number, peak=0.1 * (number + 1)))
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No test is part of a cluster job, and none leaves its folders behind."""
    for name in ("SLURM_PROCID", "RANK", "NODE_RANK", "LOCAL_RANK", "SLURM_JOB_ID", "TORCHELASTIC_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("CANARYGAN_RUN_VERSION", raising=False)


@pytest.fixture
def ask(installed, monkeypatch, tmp_path, capsys):
    """A function that runs `score` on synthetic clips and gives its exit code, its record and what it said."""
    registry = installed(Blind, Loudness, Peak, Trough, Wanting)
    monkeypatch.setattr(score, "get_registry", lambda: registry)
    monkeypatch.chdir(tmp_path)
    data = ["--dataset", "synthetic", "--syllables", "2", "--per-class", "6"]

    def run(*words):
        HEARD.clear()
        code = main.main(["score", *data, *map(str, words)])
        path = tmp_path / "scores" / "scores.json"
        return code, json.loads(path.read_text()) if path.is_file() else None, capsys.readouterr()

    return run


@pytest.fixture
def archive(tmp_path):
    """An archive of 250 generated sounds with labels."""
    clips = toy_clips(250, samples=2000)
    path = tmp_path / "generation.npz"
    with archives.writing(path, clips.audio.nbytes) as writer:
        writer.add("x", clips.audio)
        writer.add("y_knn", clips.labels)
        writer.add("rate", np.asarray(16000))
    return path


@pytest.fixture
def run(capsys):
    """A function that runs a command; gives the exit code, standard output and standard error."""
    return functools.partial(commands.run, capsys)


@pytest.fixture
def toy_models(installed):
    """The whole system finds the models of `toy_models`, and nothing that is really installed."""
    installed(Stubborn, Toy)
    Toy.loaded.clear()


@pytest.fixture
def version(tmp_path):
    """The folder of a finished training of a toy model, with its last checkpoint."""
    folder = tmp_path / "runs" / "checkpoints" / "version_7"
    for path in (folder / "last" / "last.ckpt", folder / "all" / "early.ckpt"):
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"epoch": 3 if path.stem == "last" else 1, "step": 60}))
    manifest = Manifest.begin(
        folder / "manifest.json", Request("train-gan", (), {"model": {"name": "toy", "options": {}}})
    )
    manifest.end("finished")
    return folder


@pytest.fixture
def trained(tmp_path):
    """A folder of two decoders of pitch."""
    clips = Clips(np.zeros((2, 10), np.float32), RATE, labels=np.array(["a", "b"]))
    for name, width in (("one", 600.0), ("two", 900.0)):
        decoder = Pitch(width)
        decoders.save(tmp_path / "decoders" / name, decoder, decoder.fit(clips), threshold=0.6)
    return tmp_path / "decoders"
