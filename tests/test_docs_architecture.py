"""docs/architecture.md names files, rooms and functions that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PLACES = [ROOT, ROOT / "canarygan_core", ROOT / "plugins", *sorted(ROOT.glob("plugins/*/src"))]
PLACES += sorted(ROOT.glob("plugins/*/src/*"))


def find(path):
    return [place / path for place in PLACES if (place / path).exists()]


def test_every_file_and_folder_that_the_page_names_is_there():
    paths = re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|toml))`", PAGE)
    assert len(paths) > 40
    missing = [path for path in paths if not path.startswith("NAME/") and "NAME" not in path and not find(path)]
    assert missing == []


def test_every_room_of_the_kernel_is_on_the_page():
    rooms = [
        path.name for path in (ROOT / "canarygan_core").iterdir() if path.is_dir() and (path / "__init__.py").exists()
    ]
    files = [path.name for path in (ROOT / "canarygan_core").glob("*.py") if not path.name.startswith("__")]
    assert [room for room in rooms if f"`{room}/`" not in PAGE] == []
    assert [name for name in files if f"`{name}`" not in PAGE] == []


def test_the_answers_to_what_is_where_hold():
    for path, name in {
        "canarygan_decoders/esn/decoder.py": "class ESN",
        "canarygan_wavegan/losses.py": "def gradient_penalty",
        "canarygan_core/runs/versions.py": "def open_run",
    }.items():
        (found,) = find(path)
        assert name in found.read_text(encoding="utf-8")


def test_every_wing_says_in_one_sentence_what_lives_there():
    for path in [*ROOT.glob("canarygan_core/*/__init__.py"), *ROOT.glob("plugins/*/src/*/*/__init__.py")]:
        if "templates" not in path.parts:
            assert path.read_text(encoding="utf-8").startswith('"""'), path
