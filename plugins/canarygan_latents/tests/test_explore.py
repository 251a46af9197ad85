"""The server of `explore`: what it answers."""

import http.client
import json
import threading
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from canarygan_latents.explore.app import describe_policy
from canarygan_latents.explore.sounds import Made, SoundMaker, read_request
from explore_toys import PAGE, SAMPLES, TOKEN, Loudness, Ramp, Served, serving

from canarygan_core.fitted.decoders import TrainedDecoder


def test_the_page_may_run_its_own_scripts_and_is_not_kept(served: Served) -> None:
    status, headers, body = served.ask("GET", f"/{TOKEN}/")
    assert (status, body.decode()) == (200, PAGE)
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["script-src"] == "'sha256-u4nREHMGsI+h9jNBS6aUQi+CF/Xw0//RBohQcN8y1Ls='"
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"
    wanted = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}
    assert wanted.items() <= headers.items()


def test_the_policy_of_a_page_without_scripts_lets_none_run() -> None:
    assert "script-src 'none';" in describe_policy("<p>text</p>")


def test_a_sound_comes_with_the_time_that_it_took(served: Served) -> None:
    z = [0.25, -0.5, 1.0]
    status, headers, body = served.ask_sound(z, Origin=f"http://127.0.0.1:{served.port}")
    assert status == 200
    np.testing.assert_array_equal(np.frombuffer(body, "<f4"), Ramp().generate(np.array([z], np.float32))[0])
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-label"] == headers["x-confidence"] == headers["x-warning"] == ""
    assert float(headers["x-milliseconds"]) == pytest.approx(served.made[-1].milliseconds, abs=0.01)
    assert headers["cache-control"] == "no-store"


def test_a_latent_is_float32() -> None:
    z, is_labelled = read_request(b'{"z": [1, 0.1]}', 2)
    assert is_labelled
    assert z.dtype == np.float32
    assert z.tolist() == [1, np.float32(0.1)]


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
