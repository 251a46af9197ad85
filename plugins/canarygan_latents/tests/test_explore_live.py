"""`explore` as it is typed: a process with an address, a browser that opens it, and its end."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import numpy as np
import pytest
from canarygan_latents.explore.sounds import SoundMaker
from canarygan_latents.opening import open_generator
from canarygan_report.browser.testing import Tab, open_tab

from canarygan_core.datasets.folder import Folder
from canarygan_core.fitted import decoders
from canarygan_core.fitted.decoders import TrainedDecoder
from canarygan_core.plugins import get_registry

pytest.importorskip("canarygan_wavegan")

OTHER_SYSTEM = pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals to one process")


def heed_interrupts() -> None:
    """Take SIGINT again, which a shell has its background jobs ignore."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Command:
    """`explore` in a process of its own."""

    def __init__(self, *words: object) -> None:
        line = [sys.executable, "-m", "canarygan_core", "explore", "--no-browser", *map(str, words)]
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(line, preexec_fn=heed_interrupts, **pipes)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def sound(self, z: list[float]) -> np.ndarray:
        """What is answered for a latent (samples,)."""
        token = self.url.split("/")[-2]
        request = urllib.request.Request(urljoin(self.url, "sound"), json.dumps({"z": z}).encode(), {"X-Token": token})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return np.frombuffer(answer.read(), "<f4")

    def end(self, number: int) -> tuple[int, str, str]:
        """Its exit code after a signal, its answer, and what it told besides."""
        self.process.send_signal(number)
        answer, told = self.process.communicate(timeout=60)
        return self.process.returncode, answer, told


@contextmanager
def running(*words: object) -> Iterator[Command]:
    """The command with these words and a small picture of the space."""
    command = Command("--side", 3, *words)
    try:
        yield command
    finally:
        command.process.kill()
        command.process.communicate()


@pytest.fixture
def decoder(tmp_path: Path, data: Path) -> TrainedDecoder:
    """One that was trained on the clips from which the checkpoint's run learnt."""
    knn = pytest.importorskip("canarygan_decoders.knn")
    clips = Folder(data_dir=data, max_length=4096 / 16000).load()
    facts = {"rate": clips.rate, "seconds": 4096 / 16000}
    decoders.save(tmp_path / "knn", knn.KNN(), knn.KNN().fit(clips), facts=facts)
    return decoders.load(tmp_path / "knn", get_registry())


@OTHER_SYSTEM
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_the_address_gives_sounds_of_the_model_until_it_is_ended(checkpoint: Path, name: str) -> None:
    with running("-x", checkpoint) as command:
        check_sounds(command, checkpoint, getattr(signal, name))


def check_sounds(command: Command, checkpoint: Path, number: int) -> None:
    assert command.url.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(command.url, timeout=60) as answer:
        page = answer.read().decode()
    assert "<title>Latent space of version 0</title>" in page
    assert f'"system":"{version("canarygan-latents")}"' in page
    z = [0.5, -0.25, 0.75]
    expected = open_generator(checkpoint, "cpu").generator.generate(np.array([z], np.float32))[0]
    np.testing.assert_allclose(command.sound(z), expected, atol=1e-5)
    code, answer, told = command.end(number)
    if number == signal.SIGINT:  # by which the command is meant to end
        assert (code, answer.splitlines()[-1]) == (0, "Sounds made: 1.")
        assert "interrupted" not in told
    else:
        assert code == 130
        assert told.endswith("canarygan: interrupted.\n")
    assert "Traceback" not in told


@pytest.fixture
def tab() -> Iterator[Tab]:
    with open_tab() as tab:
        tab.page.context.set_offline(False)
        yield tab


@OTHER_SYSTEM
def test_a_point_of_the_page_is_the_models_own_sound_with_its_latency_and_label(
    checkpoint: Path, decoder: TrainedDecoder, tab: Tab
) -> None:
    words = ("--axes", 1, 2, "--at", "0,0,1.5", "--draws", 100)
    with running("-x", checkpoint, "-y", decoder.folder, *words) as command:
        check_page(command, SoundMaker(open_generator(checkpoint, "cpu").generator, [decoder]), tab)


def check_page(command: Command, maker: SoundMaker, tab: Tab) -> None:
    page, posts = tab.page, list[str]()
    page.on("request", lambda request: posts.extend([request.post_data] if request.post_data else []))
    page.goto(command.url)
    frame = page.locator(".flat canvas").bounding_box()
    with page.expect_event("requestfinished", lambda request: '"label":true' in (request.post_data or "")):
        tab.mouse.click(frame["x"] + 0.4 * frame["width"], frame["y"] + 0.3 * frame["height"])
    tab.wait_for("window.started.length === 1")
    state = tab.run("window.canarygan.state")
    assert (state["source"], state["played"]) == ("server", 1)
    assert state["cursor"][2] == 1.5
    made = maker.make(np.array(state["cursor"], np.float32))
    np.testing.assert_allclose(tab.run("window.started[0].samples"), made.sound, atol=1e-5)
    told = page.locator(".latency").text_content()
    assert told.startswith("Made by the generator behind this page, ")
    assert told.endswith(" ms in the generator. Outside of the training: z3 is 1.5, and was -1 to 1.")
    title = "X, none of the classes" if made.label == "X" else made.label
    tab.wait_for(f"document.querySelector('.sound b').textContent === {json.dumps(title)}")
    assert '"label":false' in posts[0]
    assert set(tab.requests) == {command.url, urljoin(command.url, "sound")}
    assert tab.complaints == []
    command.end(signal.SIGINT)
    tab.mouse.click(frame["x"] + 0.5 * frame["width"], frame["y"] + 0.3 * frame["height"])
    text = "document.querySelector('.sound').textContent"
    tab.wait_for(f"{text}.includes('Start canarygan explore again')")
