"""A server for this machine alone."""

import errno
import os
import socket
import sys
import webbrowser

import uvicorn
from starlette.types import ASGIApp

from canarygan_core.errors import CanaryganError, UsageError

HOST = "127.0.0.1"

PATIENCE = 2
"""Seconds that a request may still take when the server is to stop."""


def bind(port: int) -> socket.socket:
    """A socket of this machine alone that listens at a port, or at a free one for 0.

    It says that it is of TCP, or else asyncio would let each answer wait for the acknowledgement of its first half.

    Raises:
        UsageError: where no port has this number.
        CanaryganError: where another program has it, or it is not for this user.
    """
    if not 0 <= port < 1 << 16:
        raise UsageError(f"--port is {port}: it may be 0, for a free one, to 65535.")
    try:
        listener = socket.create_server((HOST, port))
    except OSError as error:
        why = "in use" if error.errno == errno.EADDRINUSE else (error.strerror or "not to be had").lower()
        raise CanaryganError(f"Port {port} is {why}: give another by --port, or leave it out for a free one.") from None
    return socket.socket(listener.family, listener.type, socket.IPPROTO_TCP, listener.detach())


def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Answer requests until Ctrl-C. What else ends a command, such as SIGTERM, is raised after the last answer."""
    try:
        make_server(app).run([listener])
    except KeyboardInterrupt as stop:
        if type(stop) is not KeyboardInterrupt:
            raise


def make_server(app: ASGIApp) -> uvicorn.Server:
    """The server, not running yet."""
    config = uvicorn.Config(
        app,
        http="h11",
        loop="asyncio",
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,
        limit_concurrency=100,
        timeout_graceful_shutdown=PATIENCE,
    )
    return uvicorn.Server(config)


def open_browser(url: str) -> bool:
    """Open a page in the user's browser, where there is a screen; whether one was asked."""
    has_screen = sys.platform in ("win32", "darwin") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    return bool(has_screen) and webbrowser.open(url)
