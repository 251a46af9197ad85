"""`explore` as it is typed: a process with an address, a browser that opens it, and its end."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urljoin

import numpy as np
import pytest
from canarygan_latents.opening import open_generator
from canarygan_report.browser.testing import Tab, open_tab

pytest.importorskip("canarygan_wavegan")

OTHER_SYSTEM = pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals to one process")


class Command:
    """`explore` in a process of its own."""

    def __init__(self, *words: object) -> None:
        line = [sys.executable, "-m", "canarygan_core", "explore", "--no-browser", *map(str, words)]
        self.process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def sound(self, z: list[float]) -> np.ndarray:
        """What is answered for a latent (samples,)."""
        token = self.url.split("/")[-2]
        request = urllib.request.Request(urljoin(self.url, "sound"), json.dumps({"z": z}).encode(), {"X-Token": token})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return np.frombuffer(answer.read(), "<f4")

    def end(self, number: int) -> tuple[int, str]:
        """Its exit code after a signal, and what it told."""
        self.process.send_signal(number)
        _, told = self.process.communicate(timeout=60)
        return self.process.returncode, told


@pytest.fixture
def command(checkpoint: Path, request: pytest.FixtureRequest) -> Iterator[Command]:
    """The command with a small picture of the space, and with the words of a parameter."""
    command = Command("-x", checkpoint, "--side", 3, *getattr(request, "param", ()))
    yield command
    command.process.kill()
    command.process.communicate()


@OTHER_SYSTEM
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_the_address_gives_sounds_of_the_model_until_it_is_interrupted(
    command: Command, checkpoint: Path, name: str
) -> None:
    assert command.url.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(command.url, timeout=60) as answer:
        page = answer.read().decode()
    assert "<title>Latent space of version 0</title>" in page
    assert f'"system":"{version("canarygan-latents")}"' in page
    z = [0.5, -0.25, 0.75]
    expected = open_generator(checkpoint, "cpu").generator.generate(np.array([z], np.float32))[0]
    np.testing.assert_allclose(command.sound(z), expected, atol=1e-5)
    code, told = command.end(getattr(signal, name))
    assert code == 130
    assert told.endswith("canarygan: interrupted.\n")
    assert "Traceback" not in told


@pytest.fixture
def tab() -> Iterator[Tab]:
    with open_tab() as tab:
        tab.page.context.set_offline(False)
        yield tab


@OTHER_SYSTEM
@pytest.mark.parametrize("command", [("--axes", 1, 2, "--at", "0,0,1.5", "--draws", 100)], indirect=True)
def test_a_point_of_the_page_is_the_models_own_sound_and_its_latency_is_told(
    command: Command, checkpoint: Path, tab: Tab
) -> None:
    page = tab.page
    page.goto(command.url)
    frame = page.locator(".flat canvas").bounding_box()
    tab.mouse.click(frame["x"] + 0.4 * frame["width"], frame["y"] + 0.3 * frame["height"])
    tab.wait_for("() => window.started.length === 1")
    state = tab.run("window.canarygan.state")
    assert (state["source"], state["played"]) == ("server", 1)
    assert state["cursor"][2] == 1.5
    z = np.array([state["cursor"]], np.float32)
    expected = open_generator(checkpoint, "cpu").generator.generate(z)[0]
    np.testing.assert_allclose(tab.run("window.started[0].samples"), expected, atol=1e-5)
    told = page.locator(".latency").text_content()
    assert told.startswith("Made by the generator behind this page, ")
    assert told.endswith(" ms in the generator. Outside of the training: z3 is 1.5, and was -1 to 1.")
    assert set(tab.requests) == {command.url, urljoin(command.url, "sound")}
    assert tab.complaints == []
    command.end(signal.SIGINT)
    tab.mouse.click(frame["x"] + 0.5 * frame["width"], frame["y"] + 0.3 * frame["height"])
    text = "document.querySelector('.sound').textContent"
    tab.wait_for(f"() => {text}.includes('Start canarygan explore again')")
