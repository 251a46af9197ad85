"""The web application: one page, and sounds on request, for those who know the token."""

import asyncio
import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from concurrent.futures import Executor
from urllib.parse import quote

import numpy as np
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from canarygan_core.errors import CanaryganError
from canarygan_latents.explore.sounds import Made, read_request
from canarygan_latents.opening import Floats

SOUND = "sound"
"""Where sounds are asked for, beside the page."""

HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of every answer."""

CLOSED = "default-src 'none'; frame-ancestors 'none'"
"""The policy of every answer but the page."""

LEFT = 499
"""The status of an answer that nobody waits for any more."""

_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def build_app(
    page: str,
    make: Callable[[Floats, bool], Made],
    executor: Executor,
    *,
    dim: int,
    token: str,
    port: int,
    report: Callable[[Made], None] = lambda made: None,
) -> ASGIApp:
    """The application.

    Args:
        page: HTML, whose scripts are in it, in `<script>` elements without attributes.
        make: gives the sound of a latent (dim,), with its label or without.
        executor: where `make` runs, one call at a time.
        dim: coordinates of a latent.
        token: what an address must begin with.
        port: at which the application is reached.
        report: is told of each sound that was made.
    """
    turn = asyncio.Lock()
    policy, content = describe_policy(page), page.encode()

    async def show_page(request: Request) -> Response:
        return HTMLResponse(content, headers={"Content-Security-Policy": policy})

    async def answer_sound(request: Request) -> Response:
        if not _is_equal(request.headers.get("x-token", ""), token):
            return PlainTextResponse("The header X-Token must hold the token of this page.", 403)
        try:
            asked = read_request(await _read_body(request, 1024 + 64 * dim), dim)
            async with turn:
                if await request.is_disconnected():  # a newer point is wanted
                    return Response(status_code=LEFT)
                made = await asyncio.get_running_loop().run_in_executor(executor, make, *asked)
        except ClientDisconnect:
            return Response(status_code=LEFT)
        except _TooLarge:
            return PlainTextResponse(f"A latent of {dim} coordinates is shorter than this.", 413)
        except CanaryganError as error:
            return PlainTextResponse(str(error), 400)
        report(made)
        return _describe(made)

    routes = [
        Route(f"/{token}/", show_page, methods=["GET"]),
        Route(f"/{token}/{SOUND}", answer_sound, methods=["POST"]),
    ]
    return Guard(Starlette(routes=routes), token, port)


def describe_policy(page: str) -> str:
    """The content security policy of a page: the scripts that are in it run, and ask this server; none else does."""
    digests = [hashlib.sha256(script.encode()).digest() for script in _SCRIPT.findall(page)]
    scripts = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests) or "'none'"
    parts = {
        "default-src": "'none'",
        "script-src": scripts,
        "style-src": "'unsafe-inline'",
        "img-src": "data: blob:",
        "media-src": "data: blob:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in parts.items())


class Guard:
    """Lets through what comes from this machine's browser and knows the token; says why to all else.

    The host must be a name of this machine, so that no name of a stranger's can be turned to it (DNS rebinding), and
    the origin that of the page, so that no other page can ask.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app, self.token = app, token
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        if port == 80:  # which browsers leave out
            self.hosts |= {"127.0.0.1", "localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                headers.setdefault("Content-Security-Policy", CLOSED)
                headers.update(HEADERS)
            await send(message)

        refusal = self.find_fault(scope["path"], Headers(scope=scope))
        app = PlainTextResponse(refusal, 403) if refusal else self.app
        await app(scope, receive, send_guarded)

    def find_fault(self, path: str, headers: Headers) -> str:
        """Why a request is refused; empty where it is not."""
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return f"Refused: this server is reached as {' or '.join(sorted(self.hosts))} alone."
        if any(origin.lower() != f"http://{hosts[0].lower()}" for origin in origins):
            return "Refused: only the page of this server may ask it."
        if not _is_equal(path.split("/")[1] if "/" in path else "", self.token):
            return "Refused: the address must hold the token that `canarygan explore` printed."
        return ""


class _TooLarge(Exception):
    """A body has more bytes than any that is meant."""


async def _read_body(request: Request, most: int) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise _TooLarge
    return body


def _describe(made: Made) -> Response:
    """A sound as float32 samples, least significant byte first; headers tell the rest, texts percent-encoded."""
    confidence, agreement = ("" if one is None else f"{one:.4f}" for one in (made.confidence, made.agreement))
    headers = {
        "X-Label": quote(made.label),
        "X-Confidence": confidence,
        "X-Agreement": agreement,
        "X-Milliseconds": f"{made.milliseconds:.2f}",
        "X-Warning": quote(made.warning),
    }
    return Response(np.asarray(made.sound, "<f4").tobytes(), media_type="application/octet-stream", headers=headers)


def _is_equal(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(), other.encode())
