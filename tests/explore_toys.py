"""A server of `explore` with a generator and a decoder whose answers are known, and those who ask it."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from canarygan_latents.explore import server
from canarygan_latents.explore.app import build_app
from canarygan_latents.explore.sounds import Made, open_thread

TOKEN = "a-token"
PAGE = "<!doctype html><title>A page</title><script>document.title += ' that runs';</script>"
DIM, SAMPLES = 3, 100

Reply = tuple[int, dict[str, str], bytes]
"""Status, headers by their names in small letters, and body of an answer."""


class Ramp:
    """A generator whose sounds rise from 0 to the sum of their latents."""

    latent_dim, rate, samples, latent_range = DIM, 16000, SAMPLES, (-1.0, 1.0)
    progress = MappingProxyType({"epoch": 0, "step": 0})

    def generate(self, z: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            return (z.sum(1, keepdims=True) * np.linspace(0, 1, SAMPLES)).astype(np.float32)


class Loudness:
    """A decoder that calls loud sounds by the first of its classes."""

    classes, rate, seconds = ("l\u00e4rm <b>", "quiet"), 16000, SAMPLES / 16000

    def posteriors(self, clips: Any) -> np.ndarray:
        loud = np.abs(clips.audio).max(1) > 0.5
        return np.where(loud[:, None], [[0.75, 0.25]], [[0.125, 0.875]]).astype(np.float32)


@dataclass
class Served:
    """A server that runs, and what it reported."""

    port: int
    made: list[Made] = field(default_factory=list)

    def ask(self, method: str, path: str, body: Any = None, **headers: str | None) -> Reply:
        """What is answered; a body that is no bytes is sent as JSON, and a header of None is not sent."""
        named = {"Host": f"127.0.0.1:{self.port}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in named.items():
            if value is not None:
                connection.putheader(name, value.encode())
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content)
        answer = connection.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return found

    def ask_sound(self, z: list[float], **headers: str | None) -> Reply:
        return self.ask("POST", f"/{TOKEN}/sound", {"z": z}, **{"X_Token": TOKEN, **headers})


@contextmanager
def serving(make: Callable[[Any, bool], Made]) -> Iterator[Served]:
    listener = server.bind(0)
    served = Served(listener.getsockname()[1])
    with open_thread(lambda: None) as executor:
        app = build_app(PAGE, make, executor, dim=DIM, token=TOKEN, port=served.port, report=served.made.append)
        running = server.make_server(app)
        thread = threading.Thread(target=running.run, args=([listener],))
        thread.start()
        try:
            yield served
        finally:
            running.should_exit = True
            thread.join()
            listener.close()
