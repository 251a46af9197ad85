"""The tasks that write, at toy sizes: what is there before, the command that is killed, and the one that comes next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Words = Sequence[str]

GAN = (
    *("--dim", "2", "--slice-len", "4096", "--critic-updates", "1", "--batch-size", "4", "--latent-dim", "2"),
    *("--accelerator", "cpu", "--precision", "32", "--save-every-n-epochs", "1", "--log-every-n-steps", "1"),
)
GAN = ("train-gan", "-d", "data", "-s", "runs", "--version", "mine", *GAN, "-c", "0", "-q")
CLASSIFIER = (
    *("train-inception", "-d", "data", "-s", "inception", "--version", "mine", "--seconds", "0.128"),
    *("--batch-size", "4", "--save-topk", "2", "--log-every-n-steps", "1", "-q"),
)
DECODERS = ("train-decoders", "-p", "set", "-m", "knn", "-s", "decoders", "-q")
SET = ("build-decoder-dataset", "-d", "data", "-s", "set", "--augment", "0", "--split", "0.34", "-q")
GENERATE = ("generate", "-x", "runs", "-n", "4", "-s", "generated", "--wav", "-y", "decoders", "-q")
DECODE = ("decode", "data", "-y", "decoders", "-s", "decoded", "-q")
SCORE = ("score", "generated", "-d", "data", "--metric", "frechet", "-m", "inception", "-s", "scores", "-q")
BASELINE = ("inception", "baseline", "-m", "inception", "-d", "data", "-s", "scores", "--n-split", "2", "-q")
CURVE = (
    "inception",
    "gan",
    "-m",
    "inception",
    "-x",
    "runs",
    "-s",
    "scores",
    "--n-samples",
    "4",
    "--n-split",
    "2",
    "-q",
)
UMAP = ("umap", "-g", "generated", "-d", "data", "-s", "umap", "-q")
REPORT = ("report", "-x", "runs", "-d", "data", "-g", "generated", "-s", "reports", "-q")
SAMPLE = ("sample", "-n", "50", "-d", "2", "-s", "latents", "-q")
PROJECT = ("project", "generated", "-d", "data", "-s", "projected", "-q")
INVERT = (
    *("invert", "data", "-x", "runs", "-s", "inverted", "--candidates", "40", "--starts", "2", "--steps", "2"),
    *("--own", "2", "--wav", "-q"),
)
EXPORT = ("export", "-x", "runs", "-s", "exported", "-q")
SEGMENT = ("segment", "data/A", "-s", "segmented", "-q")
DATA = ("write-dataset", "--syllables", "2", "--per-class", "6", "-s", "data", "-q")
AGAIN = ("--overwrite",)


@dataclass(frozen=True)
class Scenario:
    """A command that is killed.

    Attributes:
        name: for people.
        words: of the command.
        base: the commands whose outputs are there before, in this order.
        following: gives the words of the next command, in a folder; that which was killed, unless something else is
            needed.
        cached: whether the cache is filled before.
    """

    name: str
    words: Words
    base: tuple[Words, ...] = ()
    following: Callable[[Path], Words] | None = None
    cached: bool = field(default=True)

    def follow(self, root: Path) -> Words:
        """The words of the next command."""
        return self.words if self.following is None else self.following(root)


def train(*words: str, command: Words) -> Callable[[Path], Words]:
    """What the script of the docs does: go on where there is a manifest, and else start."""
    folder = Path(command[command.index("-s") + 1]) / "checkpoints" / "version_mine"

    def follow(root: Path) -> Words:
        if not (root / folder / "manifest.json").is_file():
            return [*command, *words]
        task, save_dir = command[0], command[command.index("-s") + 1]
        return [task, "-s", save_dir, "--version", "mine", "--resume", "-q", *words]

    return follow


def repeat(words: Words) -> Callable[[Path], Words]:
    """The same once more, whatever is there."""
    return lambda root: [*words, *AGAIN]


def start_unless_there(words: Words, folder: str) -> Callable[[Path], Words]:
    """The same once more where it has not come to its end, and else a command that only reads."""
    return lambda root: words if not (root / folder).exists() else ("check-data", "-d", folder, "-q")


TWO, FOUR = ("--max-epochs", "2"), ("--max-epochs", "4")
TRAINED = (DATA, (*GAN, *TWO))
DECODED = (*TRAINED, SET, DECODERS)
GENERATED = (*DECODED, GENERATE)
CLASSIFIED = (*GENERATED, (*CLASSIFIER, *TWO))
SCENARIOS = [
    Scenario("sample", SAMPLE, (), repeat(SAMPLE)),
    Scenario("sample --overwrite", (*SAMPLE, *AGAIN), ((*SAMPLE, "--seed", "1"),)),
    Scenario("train-gan", (*GAN, *TWO), (DATA,), train(*TWO, command=GAN)),
    Scenario("train-gan, empty cache", (*GAN, *TWO), (DATA,), train(*TWO, command=GAN), cached=False),
    Scenario("train-gan --resume", ("train-gan", "-s", "runs", "--resume", *FOUR, "-q"), TRAINED),
    Scenario("train-inception", (*CLASSIFIER, *FOUR), (DATA,), train(*FOUR, command=CLASSIFIER)),
    Scenario(
        "train-inception --resume",
        ("train-inception", "-s", "inception", "--resume", *FOUR, "-q"),
        (DATA, (*CLASSIFIER, *TWO)),
    ),
    Scenario("build-decoder-dataset", SET, (DATA,), repeat(SET)),
    Scenario("train-decoders", DECODERS, (DATA, SET), repeat(DECODERS)),
    Scenario("train-decoders --overwrite", (*DECODERS, *AGAIN), (DATA, SET, (*DECODERS, "--knn.k", "2"))),
    Scenario("generate", GENERATE, DECODED, repeat(GENERATE)),
    Scenario("generate --overwrite", (*GENERATE, *AGAIN), (*DECODED, (*GENERATE, "--seed", "1"))),
    Scenario("decode", DECODE, DECODED, repeat(DECODE)),
    Scenario("score", SCORE, CLASSIFIED, repeat(SCORE)),
    Scenario("inception baseline", BASELINE, CLASSIFIED, repeat(BASELINE)),
    Scenario("inception gan", CURVE, CLASSIFIED),
    Scenario("umap", UMAP, GENERATED),
    Scenario("umap --redo", (*UMAP, "--redo"), (*GENERATED, UMAP)),
    Scenario("report", REPORT, GENERATED, repeat(REPORT)),
    Scenario("project", PROJECT, GENERATED, repeat(PROJECT)),
    Scenario("segment", SEGMENT, (DATA,), repeat(SEGMENT)),
    Scenario("invert", INVERT, TRAINED, repeat(INVERT)),
    Scenario("export", EXPORT, TRAINED, repeat(EXPORT)),
    Scenario("write-dataset", DATA, (), start_unless_there(DATA, "data")),
]
