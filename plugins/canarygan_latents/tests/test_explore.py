"""The server of `explore`: what it answers, and whom it refuses."""

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from canarygan_latents.explore import server
from canarygan_latents.explore.app import build_app, describe_policy
from canarygan_latents.explore.sounds import Made, SoundMaker, open_thread, read_request

from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.fitted.decoders import TrainedDecoder

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


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(SoundMaker(Ramp()).make) as served:
        yield served


def test_the_page_may_run_its_own_scripts_and_is_not_kept(served: Served) -> None:
    status, headers, body = served.ask("GET", f"/{TOKEN}/")
    assert (status, body.decode()) == (200, PAGE)
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["script-src"] == "'sha256-u4nREHMGsI+h9jNBS6aUQi+CF/Xw0//RBohQcN8y1Ls='"
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"
    wanted = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}
    assert wanted.items() <= headers.items()


def test_a_sound_comes_with_the_time_that_it_took(served: Served) -> None:
    z = [0.25, -0.5, 1.0]
    status, headers, body = served.ask_sound(z, Origin=f"http://127.0.0.1:{served.port}")
    assert status == 200
    np.testing.assert_array_equal(np.frombuffer(body, "<f4"), Ramp().generate(np.array([z], np.float32))[0])
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-label"] == headers["x-confidence"] == headers["x-warning"] == ""
    assert float(headers["x-milliseconds"]) == pytest.approx(served.made[-1].milliseconds, abs=0.01)
    assert headers["cache-control"] == "no-store"


def test_localhost_is_this_machine_too(served: Served) -> None:
    host = f"localhost:{served.port}"
    assert served.ask_sound([0, 0, 0], Host=host, Origin=f"http://{host}")[0] == 200
    assert served.ask("GET", f"/{TOKEN}/", Host=host.upper())[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}", ""]
)
def test_another_host_is_refused(served: Served, host: str) -> None:
    host = host.format(port=served.port)
    for status, headers, body in (served.ask("GET", f"/{TOKEN}/", Host=host), served.ask_sound([0, 0, 0], Host=host)):
        assert status == 403
        assert f"127.0.0.1:{served.port} or localhost:{served.port}" in body.decode()
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_request_of_no_host_is_refused(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), 30) as connection:
        connection.sendall(f"GET /{TOKEN}/ HTTP/1.0\r\n\r\n".encode())
        with connection.makefile("rb") as stream:
            answer = stream.read()
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert PAGE.encode() not in answer


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "https://127.0.0.1:{port}", "http://localhost:{port}", "http://127.0.0.1:1", "null", ""],
)
def test_another_origin_is_refused(served: Served, origin: str) -> None:
    before = len(served.made)
    status, _, body = served.ask_sound([0, 0, 0], Origin=origin.format(port=served.port))
    assert (status, body) == (403, b"Refused: only the page of this server may ask it.")
    assert len(served.made) == before


@pytest.mark.parametrize("path", ["/", "/sound", "/a-toke/", "/a-token2/", f"//{TOKEN}/", "/%C3%A4/", "*"])
def test_an_address_without_the_token_is_refused(served: Served, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        status, _, body = served.ask(method, path, {"z": [0, 0, 0]}, X_Token=TOKEN)
        assert status == 403
        assert b"the token that `canarygan explore` printed" in body


@pytest.mark.parametrize("token", [None, "", "a-toke", "a-token2", "\u00e4"])
def test_a_sound_without_the_token_in_its_header_is_refused(served: Served, token: str | None) -> None:
    before = len(served.made)
    assert served.ask_sound([0, 0, 0], X_Token=token)[0] == 403
    assert len(served.made) == before


def test_other_pages_and_methods_are_not_there(served: Served) -> None:
    assert served.ask("GET", f"/{TOKEN}/other")[0] == 404
    assert served.ask("GET", f"/{TOKEN}/../../etc/passwd")[0] == 404
    assert served.ask("POST", f"/{TOKEN}/", {})[0] == 405
    assert served.ask("GET", f"/{TOKEN}/sound", X_Token=TOKEN)[0] == 405


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no such JSON"),
        (b"\xff", "no such JSON"),
        (b"[" * 1200, "no such JSON"),
        (b"[]", "no such JSON"),
        (b'{"y": []}', "no such JSON"),
        (b'{"z": 3}', "no list"),
        (b'{"z": [0, 0]}', "2 values"),
        (b'{"z": [0, 0, 0, 0]}', "4 values"),
        (b'{"z": [0, 0, NaN]}', "one of these"),
        (b'{"z": [0, 0, -Infinity]}', "one of these"),
        (b'{"z": [0, 0, 1e39]}', "one of these"),
        (b'{"z": [0, 0, true]}', "one of these"),
        (b'{"z": [0, 0, "1"]}', "one of these"),
        (b'{"z": [0, 0, 0], "label": 1}', "label may be true or false"),
        (b'{"z": [0, 0, ' + b"9" * 400 + b"]}", "one of these"),
    ],
)
def test_what_is_no_latent_is_said(served: Served, body: bytes, said: str) -> None:
    status, _, answer = served.ask("POST", f"/{TOKEN}/sound", body, X_Token=TOKEN)
    assert status == 400
    assert answer.decode().startswith('Send {"z": [...]} with 3 finite numbers')
    assert said in answer.decode()


def test_a_body_larger_than_any_latent_is_not_read(served: Served) -> None:
    status, _, answer = served.ask("POST", f"/{TOKEN}/sound", b" " * 2000, X_Token=TOKEN)
    assert (status, answer) == (413, b"A latent of 3 coordinates is shorter than this.")


def test_a_latent_outside_is_made_and_said(served: Served) -> None:
    _, headers, body = served.ask_sound([0, 2.5, -1])
    assert np.frombuffer(body, "<f4")[-1] == 1.5
    assert unquote(headers["x-warning"]) == "Outside of the training: z2 is 2.5, and was -1 to 1."


def test_a_sound_that_is_not_finite_is_said(served: Served) -> None:
    status, _, answer = served.ask_sound([3e38, 3e38, 0])
    assert (status, answer[:39]) == (400, b"The sound of this latent is not finite:")


def test_decoders_name_the_sound(tmp_path: Path) -> None:
    trained = TrainedDecoder("loudness", Loudness(), Loudness.classes, 0.0, (), tmp_path, {})  # type: ignore[arg-type]
    with serving(SoundMaker(Ramp(), [trained]).make) as served:
        _, loud, _ = served.ask_sound([1, 1, 1])
        _, quiet, _ = served.ask_sound([0.125, 0, 0])
        _, silent, _ = served.ask_sound([0, 0, 0])
        body = {"z": [1, 1, 1], "label": False}
        status, unlabelled, _ = served.ask("POST", f"/{TOKEN}/sound", body, X_Token=TOKEN)
    assert (status, unlabelled["x-label"], unlabelled["x-confidence"]) == (200, "", "")
    assert loud["x-label"].isascii()
    assert (unquote(loud["x-label"]), loud["x-confidence"]) == ("l\u00e4rm <b>", "0.7500")
    assert (quiet["x-label"], quiet["x-confidence"], quiet["x-agreement"]) == ("quiet", "0.8750", "1.0000")
    assert (silent["x-label"], silent["x-confidence"]) == ("X", "0.0000")


def test_sounds_are_made_one_at_a_time_and_none_for_those_who_left() -> None:
    """Two that wait leave, as a page does that wants a newer point: the one after them is next."""
    began, go_on = threading.Event(), threading.Event()
    asked: list[float] = []

    def make(z: np.ndarray, is_labelled: bool) -> Made:
        asked.append(float(z[0]))
        began.set()
        assert go_on.wait(30)
        return Made(np.zeros(SAMPLES, np.float32), "", None, None, 0.0, "")

    with serving(make) as served:

        def begin(first: float) -> http.client.HTTPConnection:
            connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
            body = json.dumps({"z": [first, 0, 0]})
            connection.request("POST", f"/{TOKEN}/sound", body, {"X-Token": TOKEN})
            return connection

        kept = [begin(1)]
        assert began.wait(30)
        for number in (2, 3):
            begin(number).close()
        kept.append(begin(4))
        served.ask("GET", f"/{TOKEN}/")  # the loop has heard of those who left before it answers
        go_on.set()
        assert [one.getresponse().status for one in kept] == [200, 200]
        for one in kept:
            one.close()
    assert asked == [1, 4]


def test_the_policy_of_a_page_without_scripts_lets_none_run() -> None:
    assert "script-src 'none';" in describe_policy("<p>text</p>")


def test_a_port_that_is_taken_is_said() -> None:
    with server.bind(0) as listener:
        address, port = listener.getsockname()
        assert address == "127.0.0.1"
        with pytest.raises(CanaryganError, match=f"Port {port} is in use: give another by --port"):
            server.bind(port)


def test_answers_do_not_wait_for_acknowledgements() -> None:
    """Nagle's algorithm is off in what asyncio makes of the listener; on, it adds 40 ms to each sound."""

    async def find_nodelay() -> int:
        connected = asyncio.get_running_loop().create_future()

        class Answerer(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                own = transport.get_extra_info("socket")
                connected.set_result(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                transport.close()

        listener = server.bind(0)
        async with await asyncio.get_running_loop().create_server(Answerer, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            found: int = await connected
            writer.close()
            await writer.wait_closed()
            return found

    assert asyncio.run(find_nodelay()) != 0


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_said(port: int) -> None:
    with pytest.raises(UsageError, match=f"--port is {port}: it may be 0"):
        server.bind(port)


def test_no_browser_is_asked_where_there_is_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: asked.append(url) or True)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not server.open_browser("http://127.0.0.1:1/")
    monkeypatch.setenv("DISPLAY", ":0")
    assert server.open_browser("http://127.0.0.1:1/")
    assert asked == ["http://127.0.0.1:1/"]


def test_a_latent_is_float32() -> None:
    z, is_labelled = read_request(b'{"z": [1, 0.1]}', 2)
    assert is_labelled
    assert z.dtype == np.float32
    assert z.tolist() == [1, np.float32(0.1)]
