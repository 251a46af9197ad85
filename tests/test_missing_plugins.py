"""What is told of a name that no plugin here offers, and which distribution has it."""

import json
import re
from pathlib import Path

import pytest

from canarygan_core.errors import UsageError
from canarygan_core.plugins import get_registry as really_installed
from canarygan_core.plugins.index import read_index

ROOT = Path(__file__).parents[1]


def test_missing_name_tells_what_is_there_and_where_it_comes_from(offer):
    registry = offer()
    with pytest.raises(
        UsageError, match=r"No dataset named 'syntetic'; installed: folder, synthetic\. Did you mean synthetic\?"
    ):
        registry.get("dataset", "syntetic")
    for kind, names in read_index().items():
        for name, distribution in names.items():
            folder = re.escape(str(ROOT / "plugins" / distribution.replace("-", "_")))
            with pytest.raises(UsageError, match=rf"No {kind} named '{name}'.* pip install -e '?{folder}'?\."):
                registry.get(kind, name)
    assert registry.provider("dataset", "folder").distribution == "canarygan"


def test_a_command_of_a_plugin_that_is_left_out_tells_what_to_install(site):
    """Whatever of ours is missing, the rest works, and what needed it names the distribution."""
    (site.folder / "trained").mkdir()
    record = {"schema": 1, "decoder": {"name": "knn", "options": {}}, "classes": ["a"], "threshold": 0.0}
    (site.folder / "trained" / "decoder.json").write_text(json.dumps(record | {"garbage": [], "files": {}}))
    (site.folder / "sounds.npz").write_bytes(b"")
    needs = {
        "train-gan": "canarygan-wavegan",
        "train-decoders -d data": "canarygan-decoders",
        "build-decoder-dataset -d data": "canarygan-decoders",
        "decode -y trained sounds.npz": "canarygan-decoders",
        "train-inception -d data": "canarygan-metrics",
        "inception gan -m x": "canarygan-metrics",
        "inception baseline -m x": "canarygan-metrics",
        "umap -d data": "canarygan-metrics",
        "run report": "canarygan-report",
        "plugins show frechet": "canarygan-metrics",
    }
    for words, distribution in needs.items():
        done = site.run(*words.split())
        assert done.returncode in (1, 2), words
        assert re.search(rf"pip install -e \S*plugins/{distribution.replace('-', '_')}", done.stderr), words
        assert "Traceback" not in done.stderr
    for words in ("--help", "plugins", "sample -n 2 -s latents", "write-dataset --syllables 1 --per-class 1 -s data"):
        assert site.run(*words.split()).returncode == 0, words


def test_every_name_of_ours_is_known_where_it_is_missing():
    ours = {distribution for names in read_index().values() for distribution in names.values()}
    for plugin in really_installed().plugins:
        for kind, names in plugin.offers.items() if plugin.distribution in ours else ():
            assert {name: read_index()[kind].get(name) for name in names} == dict.fromkeys(names, plugin.distribution)
