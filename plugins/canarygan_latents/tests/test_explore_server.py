"""The server of `explore`: its port, its connections and the browser that it asks."""

import asyncio
import socket

import pytest
from canarygan_latents.explore import server

from canarygan_core.errors import CanaryganError, UsageError


def test_a_port_that_is_taken_is_said() -> None:
    with server.bind(0) as listener:
        address, port = listener.getsockname()
        assert address == "127.0.0.1"
        with pytest.raises(CanaryganError, match=f"Port {port} is in use: give another by --port"):
            server.bind(port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_said(port: int) -> None:
    with pytest.raises(UsageError, match=f"--port is {port}: it may be 0"):
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
