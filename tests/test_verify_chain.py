"""A flipped byte anywhere in a chain of runs: `verify` names it, and so does each command that uses the file."""

import importlib.util
import itertools
import shutil
from pathlib import Path

import pytest
from commands import succeed
from flips import flip, tell

from canarygan_core import plugins
from canarygan_core.audio import archives
from canarygan_core.cli import main
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted import decoders, generators, latents

OURS = ("wavegan", "decoders", "metrics")


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
        succeed("write-dataset", "-s", "data", "--syllables", 2, "--per-class", 8)
        succeed("train-gan", "-d", "data", "--preset", "tiny", "--max-epochs", 1, "--dim", 1, "-s", "runs")
        succeed("sample", "-n", 6, "-d", 3, "-s", "latents")
        succeed("build-decoder-dataset", "-d", "data", "-s", "set", "--augment", 0)
        succeed("train-decoders", "-p", "set", "-m", "knn", "-s", "decoders")
        succeed("generate", "-x", "runs", "-z", "latents/latent_z-dim_3.npy", "-y", "decoders", "-s", "generated")
        succeed("decode", "-y", "decoders", "generated", "-s", "decoded")
        succeed("score", "-d", "data", "generated", "-s", "scores", "--metric", "acoustics", "--resamplings", 0)
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
