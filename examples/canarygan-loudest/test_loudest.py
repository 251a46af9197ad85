import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from canarygan_core.testing import check_cheap_import

pytest_plugins = ["canarygan_core.testing.fixtures"]


def test_it_writes_sounds_of_each_class_and_a_manifest(
    canarygan: Callable[..., Any], toy_folder: Path, tmp_path: Path
) -> None:
    told = canarygan("loudest", "-d", toy_folder, "-n", "2")
    assert [name[:2] for name in told["sounds"]] == ["s0", "s0", "s1", "s1", "s2", "s2"]
    manifest = json.loads((tmp_path / "loudest" / "manifest.json").read_text())
    assert sorted(manifest["outputs"]) == [f"sounds/{name}" for name in told["sounds"]]
    assert manifest["options"]["task"]["count"] == 2


def test_entry_module() -> None:
    check_cheap_import("canarygan_loudest")
