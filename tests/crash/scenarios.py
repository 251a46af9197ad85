"""The tasks that write, at toy sizes: what is there before, the command that is killed, and the one that comes next."""

import importlib.util
import json
from collections.abc import Callable, Mapping, Sequence
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
ATLAS = ("atlas", "-x", "runs", "-y", "decoders", "-d", "data", "-s", "atlas", "--side", "3", "--draws", "100", "-q")
INVERT = ("invert", "data/A", "-x", "runs", "-d", "data", "-s", "inverted", "--wav", "-q")
INVERT = (*INVERT, "--candidates", "20", "--starts", "1", "--steps", "2", "--own", "1")
MORPH = ("morph", "-x", "runs", "--from", "0.1,0.2", "--to", "-0.5,0.4", "-n", "3", "-s", "stimuli", "-q")
GRID = ("grid", "-x", "runs", "-n", "2", "-d", "data", "--real", "2", "-s", "stimuli", "-q")
SELECT = ("select", "-x", "runs", "-y", "hears", "--label", "generation-version_mine-epoch_2-step_6", "-n", "2")
SELECT = (*SELECT, "--posterior", "0", "-s", "stimuli", "-q")
AGREEMENT = ("agreement", "ana.csv", "--key", "key.csv", "-s", "agreement", "-q")
EXPORT = ("export", "-x", "runs", "-s", "exported", "-q")
CHECKED = ("check-data", "-d", "data", "--sheet", "sheets/sheet.png")
PLUGIN = ("plugins", "new", "mine", "--kind", "metric", "-s", "plugins")
SEARCH = ("train-decoders", "-p", "set", "-m", "esn", "--esn.units", "20", "--search", "3", "-s", "decoders", "-q")
CUT = ("cut", "-d", "data/A", "--annotations", "segmented", "-s", "cut", "-q")
LABELS = ("decode", "data/A", "-y", "decoders", "-s", "decoded", "--truth", "segmented", "-q")
LABELS = (*LABELS, "--format", "csv", "--format", "aud-seq")
CHECKPOINTS = "runs/checkpoints/version_mine/all"
SINGERS = tuple(
    ("generate", "-x", f"{CHECKPOINTS}/{name}.ckpt", "-n", "24", "--wav", "-s", "sung", "-q")
    for name in ("epoch_1-step_3", "epoch_2-step_6")
)
SINGING = ("train-decoders", "-d", "sung", "-m", "knn", "--no-default-garbage", "--augment", "0", "-s", "hears", "-q")
COMPOSE = ("compose", "-x", "runs", "-y", "hears", "--sequence", "generation-version_mine-epoch_2-step_6", "-s", "song")
COMPOSE = (*COMPOSE, "--posterior", "0", "-q")
PROJECT = ("project", "generated", "-d", "data", "-s", "projected", "-q")
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
        planted: files that are there before, with what they hold: what a listener wrote, drafts of killed processes.
    """

    name: str
    words: Words
    base: tuple[Words, ...] = ()
    following: Callable[[Path], Words] | None = None
    cached: bool = True
    planted: Mapping[str, str] = field(default_factory=dict)

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


def start_unless_there(words: Words, path: str, otherwise: Words) -> Callable[[Path], Words]:
    """The same once more where it has not come to its end, and else a command that only reads."""
    return lambda root: otherwise if (root / path).exists() else words


def repeat_unless_finished(words: Words, manifest: str) -> Callable[[Path], Words]:
    """The same once more where its manifest does not say that it has finished, and else a command that only reads."""

    def follow(root: Path) -> Words:
        path = root / manifest
        is_over = path.is_file() and json.loads(path.read_text())["status"] == "finished"
        return ("verify", manifest) if is_over else words

    return follow


TWO, THREE, FOUR = (("--max-epochs", number) for number in "234")
RESUME = ("train-gan", "-s", "runs", "--resume")
RERUN, RERUN_MANIFEST = ("rerun", "latents"), "latents-rerun/latent_z-dim_2.manifest.json"
REPEATED, REPEATED_MANIFEST = ("rerun", "runs"), "runs-rerun/checkpoints/version_mine/manifest.json"
LOOK = ("check-data", "-d", "data", "-q")
LEFT = ("latents/.z.npy.01234567.part", ".data.01234567.part/A/0.wav", "data/.old.01234567.old/manifest.txt")
LISTENED = {
    "key.csv": "file,is_real,label\nq.wav,yes,A\nr.wav,no,A\ns.wav,yes,B\n",
    "ana.csv": "trial,file,label,is_real,confidence\n1,q.wav,A,yes,3\n2,r.wav,B,no,1\n3,s.wav,B,yes,2\n",
}
TRAINED = (DATA, (*GAN, *TWO))
DECODED = (*TRAINED, SET, DECODERS)
GENERATED = (*DECODED, GENERATE)
CLASSIFIED = (*GENERATED, (*CLASSIFIER, *TWO))
RECORDED = (DATA, SEGMENT)
SCENARIOS = [
    Scenario("sample", SAMPLE, (), repeat(SAMPLE)),
    Scenario("sample --overwrite", (*SAMPLE, *AGAIN), ((*SAMPLE, "--seed", "1"),)),
    Scenario("train-gan", (*GAN, *TWO), (DATA,), train(*TWO, command=GAN)),
    Scenario("train-gan, empty cache", (*GAN, *TWO), (DATA,), train(*TWO, command=GAN), cached=False),
    Scenario("train-gan --resume", (*RESUME, *FOUR, "-q"), TRAINED),
    Scenario("train-gan --resume of a resumed run", (*RESUME, *FOUR, "-q"), (*TRAINED, (*RESUME, *THREE, "-q"))),
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
    Scenario("write-dataset", DATA, (), start_unless_there(DATA, "data", LOOK)),
    Scenario("train-decoders --search", SEARCH, (DATA, SET), repeat(SEARCH)),
    Scenario("decode --truth, two formats", LABELS, (*DECODED, SEGMENT), repeat(LABELS)),
    Scenario("cut", CUT, RECORDED, start_unless_there(CUT, "cut/clips.csv", LOOK)),
    Scenario(
        "cut after --dry-run", CUT, (*RECORDED, (*CUT, "--dry-run")), start_unless_there(CUT, "cut/clips.csv", LOOK)
    ),
    Scenario("compose", COMPOSE, (*TRAINED, *SINGERS, SINGING), repeat(COMPOSE)),
    Scenario("atlas", ATLAS, DECODED, repeat(ATLAS)),
    Scenario("invert", INVERT, TRAINED, repeat(INVERT)),
    *([Scenario("export", EXPORT, TRAINED, repeat(EXPORT))] if importlib.util.find_spec("onnx") else []),
    Scenario("morph", MORPH, TRAINED, repeat(MORPH)),
    Scenario("grid", GRID, TRAINED, repeat(GRID)),
    Scenario("select", SELECT, (*TRAINED, *SINGERS, SINGING), repeat(SELECT)),
    Scenario("agreement", AGREEMENT, (), repeat(AGREEMENT), planted=LISTENED),
    Scenario("check-data --sheet", CHECKED, (DATA,)),
    Scenario("plugins new", PLUGIN, (), start_unless_there(PLUGIN, "plugins/canarygan-mine", ("plugins",))),
    Scenario("clean --cache", ("clean", ".", "--cache"), (DATA, SAMPLE), planted=dict.fromkeys(LEFT, "left\n")),
    Scenario("rerun of sample", RERUN, (SAMPLE,), repeat_unless_finished(RERUN, RERUN_MANIFEST)),
    Scenario("rerun of train-gan", REPEATED, TRAINED, repeat_unless_finished(REPEATED, REPEATED_MANIFEST)),
]
