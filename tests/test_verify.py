"""`verify`, and what each command says of a flipped byte, along a chain of runs."""

import importlib.util
import itertools
import json
import os
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest

from canarygan_core import plugins, runs
from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.datasets import cache
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted import decoders, generators, latents
from canarygan_core.runs import Manifest, Request, files, seals
from canarygan_core.runs.verification import Verification, check_recorded, find_manifest
from canarygan_core.tasks import sample as sample_task

OURS = ("wavegan", "decoders", "metrics")


def flip(path, at=None):
    """Flip one bit of a file, at a place or somewhere by its name; gives what restores it."""
    content, before = path.read_bytes(), path.stat()
    at = (zlib.crc32(path.name.encode()) if at is None else at) % len(content)
    replace(path, content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as a disk that lost it

    def restore():
        replace(path, content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    return restore


def replace(path, content):
    path.with_name("new").write_bytes(content)  # another file, as a copy is
    os.replace(path.with_name("new"), path)


def run(*words):
    assert main.main([*map(str, words), "-q"]) == 0


def tell(capsys, *paths):
    """What `verify` says, line by line, and its exit code."""
    capsys.readouterr()
    code = main.main(["verify", *map(str, paths), "--json"])
    return json.loads(capsys.readouterr().out)["faults"], code


# What is verified


@pytest.fixture
def drawn(tmp_path):
    sample_task.sample(save_dir=tmp_path / "z", n_samples=5, dim=2, request=Request("sample"))
    return tmp_path / "z" / "latent_z-dim_2.npy"


def test_a_whole_file_and_a_whole_folder(drawn, capsys):
    for path in (drawn, drawn.parent, drawn.with_suffix(".manifest.json")):
        assert main.main(["verify", str(path)]) == 0
        assert "Whole: 2 files are as they were written." in capsys.readouterr().out


def test_a_changed_and_a_missing_file_are_named(drawn, capsys):
    restore = flip(drawn)
    assert tell(capsys, drawn.parent) == ([f"{drawn} is not the file that sample wrote."], 1)
    restore()
    assert tell(capsys, drawn.parent) == ([], 0)
    drawn.unlink()
    assert tell(capsys, drawn.parent) == ([f"{drawn} is missing."], 1)


def test_a_changed_manifest_is_named(drawn, capsys):
    manifest = drawn.with_suffix(".manifest.json")
    replace(manifest, manifest.read_bytes().replace(b'"seed": 0', b'"seed": 1'))
    assert tell(capsys, manifest) == ([f"{manifest} has changed since it was written."], 1)


def test_what_nothing_tells_of_is_an_error_or_a_note(drawn, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("x")
    assert main.main(["verify", str(tmp_path / "notes.txt")]) == 1
    assert "holds nothing that says what it was" in capsys.readouterr().err
    assert main.main(["verify", str(tmp_path)]) == 0
    assert "Not checked: 1 files that no manifest tells of were not checked: notes.txt." in capsys.readouterr().out
    assert main.main(["verify", str(tmp_path / "nowhere")]) == 1
    assert main.main(["verify"]) == 2


def test_what_others_were_made_from_is_told_first(drawn, tmp_path, capsys):
    with Manifest.begin(tmp_path / "out.manifest.json", Request("generate")) as manifest:
        manifest.add_input("latents", drawn)
        files.write_text(tmp_path / "out.txt", "made")
        manifest.add_output(tmp_path / "out.txt")
    (tmp_path / "out.txt").write_text("other")
    flip(drawn)
    faults, code = tell(capsys, tmp_path / "out.txt")
    made = f"{tmp_path / 'out.txt'} is not the file that generate wrote."
    assert faults == [f"{drawn} is not the file that sample wrote.", made]
    assert code == 1
    drawn.unlink()
    assert f"{drawn}, from which" in verified(tmp_path / "out.txt").notes[0]


def verified(path):
    verification = Verification(lambda record, path: iter(()))
    verification.verify(path)
    return verification


def test_a_manifest_that_is_none_is_named(tmp_path):
    (tmp_path / "manifest.json").write_text('{"schema": 1}')
    assert verified(tmp_path).faults == [
        f"{tmp_path / 'manifest.json'} is not a manifest of this system: it has no task."
    ]


def test_logs_of_a_run_that_goes_on_are_not_compared(tmp_path):
    with runs.open_run(tmp_path, Request("train-gan")) as run:
        log = run.logs("csv") / "metrics.csv"
        files.write_text(log, "step\n1\n")
    assert verified(tmp_path).faults == []
    files.write_text(log, "step\n2\n")
    assert verified(tmp_path).faults == [f"{log} is not the file that train-gan wrote."]
    Manifest.read(run.manifest.path).add(status="running")
    assert verified(tmp_path).faults == []


def test_manifests_are_found_by_what_they_tell_of(drawn, tmp_path):
    assert find_manifest(drawn) == drawn.with_suffix(".manifest.json")
    assert find_manifest(tmp_path / "other.npy") is None
    check_recorded(drawn)
    flip(drawn)
    with pytest.raises(CanaryganError, match="is not the file that was written, as latent_z-dim_2"):
        check_recorded(drawn)


# The cache


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    run("write-dataset", "-s", tmp_path / "data", "--syllables", 2, "--per-class", 3)
    Folder(data_dir=tmp_path / "data").load()
    return tmp_path / "data"


@pytest.mark.parametrize("name", ["audio.npy", "table.npz", "about.json"])
def test_a_flipped_byte_in_the_cache_is_told_and_healed(data, name, tmp_path, capsys):
    (path,) = (tmp_path / "cache" / "folder").glob(f"*/{name}")
    whole = path.read_bytes()
    before = Folder(data_dir=data).load()
    flip(path)
    faults, _ = tell(capsys, path.parent)
    assert [fault.split(" ")[0] for fault in faults] == [str(path)]
    cache.faults.clear()
    after = Folder(data_dir=data).load()
    assert cache.faults == [f"{path} has changed since it was written, and was built again."]
    np.testing.assert_array_equal(after.audio, before.audio)
    assert path.read_bytes() == whole
    cache.faults.clear()
    Folder(data_dir=data).load()
    assert cache.faults == []


def test_a_cache_file_of_values_without_size_is_told_and_kills_nobody(data, tmp_path):
    (path,) = (tmp_path / "cache" / "folder").glob("*/audio.npy")
    with open(path, "wb") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<U0", "fortran_order": False, "shape": (6, 2)})
    about = json.loads((path.parent / "about.json").read_text())
    about["files"]["audio.npy"] = f"xxh3:{seals.compute_hash(path)}"
    (path.parent / "about.json").write_text(seals.dump(about))
    cache.faults.clear()
    assert len(Folder(data_dir=data).load()) == 6
    assert len(cache.faults) == 1
    assert "holds <U0 (6, 2), and no plain values" in cache.faults[0]


# A chain of runs


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A folder in which clips were decoded, trained on, generated, and decoded again."""
    for name in OURS:
        if not importlib.util.find_spec(f"canarygan_{name}"):
            pytest.skip(f"needs canarygan-{name}")
    root = tmp_path_factory.mktemp("chain")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANARYGAN_CACHE", str(root / "cache"))
        patch.chdir(root)
        run("write-dataset", "-s", "data", "--syllables", 2, "--per-class", 8)
        run("train-gan", "-d", "data", "--preset", "tiny", "--max-epochs", 1, "--dim", 1, "-s", "runs")
        run("sample", "-n", 6, "-d", 3, "-s", "latents")
        run("build-decoder-dataset", "-d", "data", "-s", "set", "--augment", 0)
        run("train-decoders", "-p", "set", "-m", "knn", "-s", "decoders")
        run("generate", "-x", "runs", "-z", "latents/latent_z-dim_3.npy", "-y", "decoders", "-s", "generated")
        run("decode", "-y", "decoders", "generated", "-s", "decoded")
        run("score", "-d", "data", "generated", "-s", "scores", "--metric", "acoustics", "--resamplings", 0)
        yield root


def list_files(root):
    return [
        path for path in sorted(root.rglob("*")) if path.is_file() and path.stat().st_size and "cache" not in path.parts
    ]


def test_every_file_of_a_chain_is_whole(chain, capsys):
    assert tell(capsys, chain) == ([], 0)
    assert len(list_files(chain)) > 40


def test_a_flipped_byte_anywhere_in_a_chain_is_named_by_verify(chain, capsys):
    for path, at in itertools.product(list_files(chain), (0, None, -1)):
        restore = flip(path, at)
        faults, code = tell(capsys, chain)
        restore()
        name = chain / "data" if "data" in path.parts else path
        assert code == 1, path
        assert str(name) in faults[0], (path, faults)
    assert tell(capsys, chain) == ([], 0)


def test_a_flipped_byte_is_told_by_what_uses_the_file(chain):
    registry = plugins.get_registry()

    def load(path):
        return generators.load(path, registry, model=None, device="cpu")

    uses = {
        **dict.fromkeys(chain.rglob("*.ckpt"), load),
        **{path: lambda path: decoders.load(path.parent, registry) for path in chain.glob("decoders/knn/*")},
        **{path: lambda path: read_set(path.parent) for path in chain.glob("set/decoder-dataset.*")},
        **{path: lambda path: latents.read(path, 3) for path in chain.glob("latents/*.npy")},
        **dict.fromkeys(chain.glob("generated/*.npz"), archives.read_sounds),
    }
    assert len(uses) == 10
    for path, use in uses.items():
        use(path)
        restore = flip(path)
        with pytest.raises(CanaryganError, match=path.name):
            use(path)
        restore()
        use(path)


def test_a_flipped_byte_is_told_by_the_command_that_uses_the_file(chain, tmp_path, capsys):
    latent, archive = chain / "latents" / "latent_z-dim_3.npy", next(chain.glob("generated/*.npz"))
    parts = {name: list(chain.glob(f"{name}/*")) for name in ("decoders/knn", "set")}
    checkpoints = [*chain.glob("runs/checkpoints/*/last/*.ckpt"), *chain.glob("runs/checkpoints/*/all/*.ckpt")]
    score = ("score", "-d", chain / "data", archive, "--metric", "acoustics", "--resamplings", 0)
    uses = [
        *((path, ("generate", "-x", path, "-n", 2)) for path in checkpoints),
        *(
            (path, ("generate", "-x", chain / "runs", "-n", 2, "-y", chain / "decoders"))
            for path in parts["decoders/knn"]
        ),
        *((path, ("decode", archive, "-y", chain / "decoders")) for path in parts["decoders/knn"]),
        *(
            (path, ("train-decoders", "-p", chain / "set", "-m", "knn"))
            for path in parts["set"]
            if "decoder" in path.stem
        ),
        (latent, ("generate", "-x", chain / "runs", "-z", latent)),
        (archive, ("decode", archive, "-y", chain / "decoders")),
        (archive, score),
    ]
    assert len({path for path, _ in uses}) == 10
    for number, (path, words) in enumerate(uses):
        restore = flip(path)
        code = main.main([*map(str, words), "-s", str(tmp_path / str(number)), "-q"])
        restore()
        assert code == 1, (path, words)
        assert path.name in capsys.readouterr().err, (path, words)


def test_a_command_that_needs_a_flipped_cache_says_so_and_heals_it(chain, tmp_path, capsys):
    words = [
        "train-gan",
        "-d",
        chain / "data",
        "--preset",
        "tiny",
        "--dim",
        1,
        "--max-epochs",
        1,
        "-s",
        tmp_path / "runs",
    ]
    path = max(chain.glob("cache/folder/*/audio.npy"), key=lambda path: path.stat().st_size)
    whole = path.read_bytes()
    flip(path)
    assert main.main(list(map(str, words))) == 0
    assert f"{path} has changed since it was written: it is built again." in capsys.readouterr().err
    assert path.read_bytes() == whole


def read_set(folder):
    from canarygan_decoders.dataset.decoder_dataset import read_dataset

    return read_dataset(folder)


def test_damage_at_the_start_is_found_from_the_end(chain, capsys):
    scores = chain / "scores" / "scores.json"
    checkpoint, archive = next(chain.glob("runs/checkpoints/*/all/*.ckpt")), chain / "set" / "decoder-dataset.npz"
    for path in (checkpoint, archive, chain / "latents" / "latent_z-dim_3.npy"):
        restore = flip(path)
        faults, _ = tell(capsys, scores)
        restore()
        assert faults, path
        assert str(path) in faults[0]
    clip = next(chain.glob("data/*/*.wav"))
    restore = flip(clip)
    assert str(chain / "data") in tell(capsys, scores)[0][0]
    restore()
    copy = shutil.copytree(chain / "decoders", chain / "elsewhere")
    assert tell(capsys, Path(copy)) == ([], 0)
    shutil.rmtree(copy)
