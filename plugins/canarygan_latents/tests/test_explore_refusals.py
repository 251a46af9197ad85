"""The server of `explore`: whom and what it refuses."""

import socket

import pytest
from explore_toys import PAGE, TOKEN, Served


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
