import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads that wait for each other take most of the time else

import numpy as np
import pytest
from atlas_pages import EVIL, SIDE, decode, write
from canarygan_latents import opening
from canarygan_latents.atlas import content
from canarygan_latents.explore.sounds import SoundMaker
from canarygan_latents.opening import open_generator
from canarygan_report.browser.testing import Tab, open_tab
from explore_toys import Ramp, Served, serving
from stimulus_toys import Pitch, Tones

from canarygan_core import audio
from canarygan_core.clips import Clips
from canarygan_core.fitted import decoders
from canarygan_core.runs import Manifest, Request, files

RATE, SAMPLES, LATENT_DIM = 16000, 4096, 3


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of eight clips each of two classes, `high` and `low`: tones in silence, 4096 samples at 16 kHz."""
    folder = tmp_path_factory.mktemp("data")
    time = np.arange(SAMPLES // 2) / RATE
    for label, pitch in (("high", 3000), ("low", 1000)):
        for number in range(8):
            tone = 0.5 * np.sin(2 * np.pi * (pitch + 20 * number) * time) * np.hanning(len(time))
            audio.write(folder / label / f"{number}.wav", np.pad(tone, (500, SAMPLES // 2 - 500)), RATE)
    return folder


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """The last checkpoint in a run of an untrained WaveGAN: three latents to 4096 samples at 16 kHz, in moments.

    It lies in RUNS/checkpoints/version_0/last, with the manifest of a training on `data` that held out the clips
    whose names end with a 7. Sounds of near latents are alike, and those of others differ.
    """
    torch = pytest.importorskip("torch")
    model = pytest.importorskip("canarygan_wavegan.model")
    shape = model.Shape(latent_dim=LATENT_DIM, dim=2, samples=SAMPLES)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = model.Generator(shape)
    weights = {f"generator.{name}": weight for name, weight in network.state_dict().items()}
    record = {"schema": 1, "shape": asdict(shape), "rate": RATE, "average": False, "per_epoch": 5}
    folder = tmp_path_factory.mktemp("runs") / "checkpoints" / "version_0"
    reading = {"data_dir": str(data), "sampling_rate": RATE, "max_length": SAMPLES / RATE, "gain": "clip"}
    options = {
        "model": {"name": "wavegan", "options": {"latent_dim": LATENT_DIM, "dim": 2}},
        "dataset": {"name": "folder", "options": reading},
    }
    held_out = {"sources": ["high/7.wav", "low/7.wav"], "share": 0.125, "seed": 0, "group_by": "none"}
    request = Request("train-gan", ("train-gan", "-d", str(data)), options)
    manifest = Manifest.begin(folder / "manifest.json", request, held_out=held_out)
    path = folder / "last" / "last.ckpt"
    path.parent.mkdir()
    torch.save({"state_dict": weights, "updates": 10, "wavegan": record}, path)
    manifest.end("finished")
    return path


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    """A tab of a browser whose screen is touched."""
    with open_tab(has_touch=True) as tab:
        yield tab


@pytest.fixture(scope="module")
def atlas_page(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Path:
    """An atlas of the checkpoint, whose sounds two decoders label by their halves, beside three real clips."""
    opened = open_generator(checkpoint, "cpu")
    real = Clips(np.zeros((3, 8), np.float32), RATE, labels=np.array(["early", "early", EVIL]))
    record = {"started": "2026-01-02T03:04:05", "argv": ["atlas", "-x", EVIL]}
    decoders = [decode(), decode("again")]
    made = content.make_content(opened, decoders, content.Sizes(side=SIDE), clips=real, record=record)
    return write(tmp_path_factory.mktemp("atlas"), made)


@pytest.fixture
def opened(tab: Tab, atlas_page: Path) -> Tab:
    """The tab with the atlas, which shows the space."""
    tab.open(atlas_page)
    tab.run("document.querySelector('#space').scrollIntoView({behavior: 'instant'})")
    return tab


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A server of `explore` that has no decoders."""
    with serving(SoundMaker(Ramp()).make) as served:
        yield served


@pytest.fixture
def tones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[str]]:
    """The toy model and decoder in place of those on disk; gives the words that name them."""
    checkpoint, folder = tmp_path / "weights", tmp_path / "decoder"
    folder.mkdir()
    for path in (checkpoint, folder / decoders.RECORD):
        path.write_text("{}")
    opened = opening.Opened(Tones(), checkpoint, files.compute_digest(checkpoint), "0")
    monkeypatch.setattr(opening, "open_generator", lambda path, device: opened)
    monkeypatch.setattr(decoders, "load_all", lambda paths, registry, device: [Pitch(one) for one in paths])
    monkeypatch.setattr(decoders, "judge_all", lambda trained, clips: [one.judge(clips) for one in trained])
    return ["-x", str(checkpoint), "--no-sheet"], ["-y", str(folder)]
