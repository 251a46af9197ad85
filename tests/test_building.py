"""What a clone builds: the whole system, or the kernel alone where that is asked for."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling")
pytest.importorskip("editables")

ROOT = Path(__file__).parents[1]
PLUGINS = sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))


def build(folder: Path, kind: str, *, alone: bool = False) -> tuple[set[str], str, str, str]:
    """The names at the top of a wheel, and its metadata, entry points and links, each as text."""
    code = f"import hatchling.build, sys; print(hatchling.build.build_{kind}(sys.argv[1]))"
    environment = {key: value for key, value in os.environ.items() if key != "CANARYGAN_KERNEL_ALONE"}
    environment |= {"CANARYGAN_KERNEL_ALONE": "1"} if alone else {}
    command = [sys.executable, "-c", code, str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True)
    with zipfile.ZipFile(folder / done.stdout.splitlines()[-1]) as wheel:
        texts = {Path(name).name: wheel.read(name).decode() for name in wheel.namelist() if name.count("/") < 2}
        tops = {name.partition("/")[0] for name in wheel.namelist()}
    links = "\n".join(text for name, text in texts.items() if name.endswith(".pth"))
    return tops, texts["METADATA"], texts["entry_points.txt"], links


def test_a_clone_gives_the_whole_system(tmp_path: Path) -> None:
    tops, metadata, points, _ = build(tmp_path, "wheel")
    assert {"canarygan_core", "canarygan.py", *PLUGINS} <= tops
    for name in PLUGINS:
        assert f" = {name}\n" in points
    for needed in ("torch", "lightning", "scikit-learn", "umap-learn", "reservoirpy", "numpy"):
        assert f"Requires-Dist: {needed}" in metadata
    assert "canarygan-" not in metadata.partition("\n\n")[0]  # no index need have a distribution of ours


def test_an_editable_clone_leads_to_every_plugin(tmp_path: Path) -> None:
    tops, metadata, points, links = build(tmp_path, "editable")
    assert {str(ROOT), *(str(ROOT / "plugins" / name / "src") for name in PLUGINS)} <= set(links.splitlines())
    assert not tops & {"canarygan_core", *PLUGINS}
    assert "Requires-Dist: torch" in metadata
    assert all(f" = {name}\n" in points for name in PLUGINS)


def test_extras_ask_no_index_for_what_the_clone_holds(tmp_path: Path) -> None:
    _, metadata, _, _ = build(tmp_path, "wheel")
    for extra in ("wavegan", "decoders", "metrics", "report", "all"):
        assert f"Provides-Extra: {extra}\n" in metadata
        assert f"extra == '{extra}'" not in metadata


def test_the_requirements_are_the_clone_and_each_plugin() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    named = [line.removeprefix("-e ") for line in lines if line.startswith("-e ")]
    assert sorted(named) == [".", *(f"plugins/{name}" for name in PLUGINS)]


def test_the_kernel_alone_stays_possible(tmp_path: Path) -> None:
    for kind in ("wheel", "editable"):
        tops, metadata, points, links = build(tmp_path, kind, alone=True)
        assert not tops & set(PLUGINS)
        assert "torch" not in metadata.partition("\n\n")[0]
        assert "[canarygan]" not in points
        assert "plugins" not in links
        assert "Requires-Dist: canarygan-wavegan; extra == 'wavegan'" in metadata
