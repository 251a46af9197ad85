"""What the tests of this plugin share."""

import logging
from pathlib import Path

import pytest
from songs import Song, make_song, put_labels


@pytest.fixture
def songs(tmp_path: Path) -> list[Song]:
    """A folder of two songs with their labels."""
    made = [make_song(tmp_path / "songs" / f"bird_{number}.wav", "abcabcabc", number) for number in (1, 2)]
    for song in made:
        put_labels(song.path.with_suffix(".txt"), song.segments)
    return made


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """What is logged, from information on."""
    monkeypatch.setattr(logging.getLogger("canarygan"), "propagate", True)
    caplog.set_level(logging.INFO, "canarygan")
    return caplog
