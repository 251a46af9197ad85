"""Options, from the words typed or from files, to components and tasks, and into the record and back."""

import enum
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from cyclopts import Parameter

from canarygan_core import Answer, CanaryganError, Dataset, Metric, Model, Request, Slot, Task
from canarygan_core.binding import Command
from canarygan_core.errors import UsageError
from canarygan_core.manifest import Manifest
from canarygan_core.options import flags, jsonable, peek
from canarygan_core.plugins import installed as really_installed


class Level(enum.Enum):
    SOFT = 1
    VERY_LOUD = 2


@dataclass(frozen=True)
class Window:
    hop_length: int = 128
    """Hop, samples."""
    shape: Literal["hann", "box"] = "hann"
    """Shape."""


@dataclass(frozen=True)
class Every(Dataset):
    name: ClassVar[str] = "every"

    count: int = 3
    """How many <clips>, clips."""
    cut_off: float = 0.5
    """Cut-off, Hz."""
    loud: bool = False
    """Whether loud."""
    calm: bool = True
    """Whether calm."""
    title: str = "a"
    """Title."""
    place: Path = Path("here")
    """Folder."""
    level: Level = Level.SOFT
    """Level."""
    size: Literal["auto", 4096] = "auto"
    """Size, samples."""
    bands: tuple[int, ...] = (1, 2)
    """Bands, Hz."""
    pair: tuple[int, float] = (1, 2.0)
    """A pair."""
    limit: int | None = None
    """Limit, clips."""
    window: Window = Window()
    """Window."""

    def load(self) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Listing(Dataset):
    name: ClassVar[str] = "listing"

    path: Path
    """Where it is."""
    names: list[str] | None = None
    """Names."""

    def __post_init__(self) -> None:
        if self.names == ["nobody"]:
            raise CanaryganError("--names cannot be nobody.")

    def load(self) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Net(Model):
    """A net."""

    name: ClassVar[str] = "net"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"tiny": {"layers": 1, "rounds": 2}, "huge": {"layers": 99}}

    layers: int = 5
    """Layers."""

    def train(self, clips: Any, run: Any, *, training: Any) -> None:
        raise NotImplementedError

    @classmethod
    def load(cls, checkpoint: Path, *, device: str = "cpu") -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Other(Net):
    name: ClassVar[str] = "other"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    depth: int = 7
    """Depth."""


@dataclass(frozen=True)
class First(Metric):
    name: ClassVar[str] = "first"

    n_fft: int = 512
    """Window, samples."""
    top: int | None = None
    """Top."""

    def score(self, generated: Any, reference: Any) -> dict[str, float]:
        raise NotImplementedError


@dataclass(frozen=True)
class Second(Metric):
    name: ClassVar[str] = "second"

    def score(self, generated: Any, reference: Any) -> dict[str, float]:
        raise NotImplementedError


@dataclass(frozen=True)
class Clashing(Dataset):
    name: ClassVar[str] = "clashing"

    rounds: int = 1
    """Also the group's."""

    def load(self) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Group:
    """Options of a group."""

    rounds: int = 10
    """Rounds."""
    gpus: Annotated[int, Parameter(alias="-G")] = 1
    """Devices."""


def work(
    *,
    dataset: Annotated[Dataset, Slot("every", implied={"--path": "listing", "-d": "folder", "--data-dir": "folder"})],
    model: Annotated[Model, Slot("net")],
    metric: Annotated[list[Metric], Slot("first", alias="-m")],
    group: Group = Group(),
    save_dir: Annotated[Path, Parameter(alias="-s")] = Path("runs"),
    version: str = "infer",
    resume: bool = False,
    request: Request,
) -> Answer:
    """Work on <label> things.

    Args:
        save_dir: Folder, such as <label>.
        version: Version.
        resume: Go on.
    """
    return Answer("", (dataset, model, metric, group, save_dir, request))


def score(*files: Path, metric: Annotated[list[Metric], Slot(alias="-m")], seed: int = 0) -> Answer:
    """Score files.

    Args:
        files: Files.
        seed: Seed.
    """
    return Answer("", (files, metric, seed))


sys.modules.setdefault("toy_tasks", sys.modules[__name__])
WORK = Task("work", "toy_tasks:work", "Work.")
SCORE = Task("score", "toy_tasks:score", "Score.")


@pytest.fixture
def registry(offer):
    return offer(Every, Listing, Clashing, Net, Other, First, Second, WORK, SCORE)


@pytest.fixture
def bind(registry):
    """The dataset, model, metrics, group, folder and request that words give."""

    def bound(*words):
        return Command(WORK, words, registry).bind(words)().data

    return bound


@pytest.fixture
def toml(tmp_path):
    def write(text):
        (tmp_path / "options.toml").write_text(text, encoding="utf-8")
        return "--config", str(tmp_path / "options.toml")

    return write


CASES = {
    "int": (["--count", "5"], {"count": 5}, "count = 5"),
    "float": (["--cut-off", "1e-4"], {"cut_off": 1e-4}, "cut-off = 1e-4"),
    "true": (["--loud"], {"loud": True}, "loud = true"),
    "false": (["--no-calm"], {"calm": False}, "calm = false"),
    "str": (["--title", "a b"], {"title": "a b"}, "title = 'a b'"),
    "path": (["--place", "x/y"], {"place": Path("x/y")}, "place = 'x/y'"),
    "enum": (["--level", "very-loud"], {"level": Level.VERY_LOUD}, "level = 'very-loud'"),
    "literal": (["--size", "4096"], {"size": 4096}, "size = 4096"),
    "several": (["--bands", "7", "--bands", "8"], {"bands": (7, 8)}, "bands = [7, 8]"),
    "one": (["--bands", "7"], {"bands": (7,)}, "bands = [7]"),
    "tuple": (["--pair", "3", "4.5"], {"pair": (3, 4.5)}, "pair = [3, 4.5]"),
    "optional": (["--limit", "9"], {"limit": 9}, "limit = 9"),
    "nested": (
        ["--window.hop-length", "64", "--window.shape", "box"],
        {"window": Window(64, "box")},
        "[window]\nhop-length = 64\nshape = 'box'",
    ),
    "part": (["--window.hop_length=64"], {"window": Window(64)}, "window = {hop_length = 64}"),
    "underscores": (["--cut_off", "2"], {"cut_off": 2.0}, "cut_off = 2"),
    "equals": (["--cut-off=2"], {"cut_off": 2.0}, "cut-off = 2.0"),
}


@pytest.mark.parametrize("case", CASES)
def test_every_type_of_option_from_the_line_a_file_and_a_record(bind, toml, tmp_path, case):
    words, values, text = CASES[case]
    wanted = Every(**values)
    dataset, *_, request = bind(*words)
    assert dataset == wanted != Every()
    assert {type(getattr(dataset, name)) for name in values} == {type(value) for value in values.values()}
    assert bind(*toml(text))[0] == wanted

    folder = tmp_path / "runs" / "checkpoints" / "version_0"
    folder.mkdir(parents=True)
    record = Manifest.begin(folder / "manifest.json", request).record
    assert json.loads((folder / "manifest.json").read_text()) == record
    assert bind("--resume", "-s", str(tmp_path / "runs"))[0] == wanted


def test_a_list_and_a_required_option(bind, toml):
    wanted = Listing(Path("x"), ["a", "b"])
    assert bind("--dataset", "listing", "--path", "x", "--names", "a", "--names", "b")[0] == wanted
    assert bind(*toml("dataset = 'listing'\npath = 'x'\nnames = ['a', 'b']"))[0] == wanted
    with pytest.raises(UsageError, match="needs --path"):
        bind("--dataset", "listing")
    with pytest.raises(UsageError, match="--names cannot be nobody"):
        bind("--path", "x", "--names", "nobody")


def test_record_holds_every_option_and_is_json(bind):
    *_, request = bind("--level", "very-loud", "-m", "first", "-m", "second", "--first.top", "3", "-G", "2")
    options = json.loads(json.dumps(request.options))
    assert options["dataset"]["name"] == "every"
    assert options["dataset"]["options"].keys() == {field.name for field in fields(Every)}
    assert options["dataset"]["options"]["level"] == "very-loud"
    assert options["dataset"]["options"]["window"] == {"hop_length": 128, "shape": "hann"}
    second = {"name": "second", "options": {}}
    assert options["metric"] == [{"name": "first", "options": {"n_fft": 512, "top": 3}}, second]
    assert options["group"] == {"rounds": 10, "gpus": 2}
    assert options["task"] == {"save_dir": "runs", "version": "infer", "resume": False}
    assert flags(options)["first"] == {"n_fft": 512, "top": 3}
    assert "second" not in flags(options)
    assert "limit" not in flags(options)


def test_line_over_file_over_record_over_preset_over_default(bind, toml, tmp_path):
    def layers(*words):
        return bind(*words)[1].layers

    assert layers() == 5
    assert layers("--preset", "tiny") == 1
    assert layers("--preset", "tiny", *toml("layers = 2")) == 2
    assert layers("--preset", "tiny", *toml("layers = 2"), "--layers", "3") == 3
    assert bind("--preset", "tiny")[3].rounds == 2
    assert layers(*toml("preset = 'huge'")) == 99
    assert layers("--preset", "tiny", *toml("preset = 'huge'")) == 1

    request = bind("--layers", "4", "--title", "kept")[-1]
    where = ("--resume", "-s", str(tmp_path))
    Manifest.begin(tmp_path / "checkpoints" / "version_0" / "manifest.json", request)
    assert layers(*where) == 4
    assert layers(*where, *toml("layers = 2")) == 2
    assert layers(*where, *toml("layers = 2"), "--layers", "3") == 3
    assert bind(*where, "--layers", "3")[0].title == "kept"


def test_resume_finds_the_run_that_a_file_names(bind, toml, tmp_path):
    request = bind("--layers", "4")[-1]
    Manifest.begin(tmp_path / "checkpoints" / "version_a" / "manifest.json", request)
    Manifest.begin(tmp_path / "checkpoints" / "version_b" / "manifest.json", bind("--layers", "6")[-1])
    place = f"save_dir = '{tmp_path}'\nversion = 'a'\n"
    assert bind("--resume", *toml(place))[1].layers == 4
    assert bind(*toml(place + "resume = true"))[1].layers == 4
    assert bind(*toml(place + "resume = true"), "--no-resume")[1].layers == 5
    assert bind("--resume", *toml(place), "--version", "b")[1].layers == 6


def test_resume_of_another_task_is_refused(bind, tmp_path):
    Manifest.begin(
        tmp_path / "checkpoints" / "version_0" / "manifest.json", Request("else", options={"task": {"x": 1}})
    )
    with pytest.raises(CanaryganError, match="is a run of else, not of work"):
        bind("--resume", "-s", str(tmp_path))
    with pytest.raises(CanaryganError, match="Cannot find any run"):
        bind("--resume", "-s", str(tmp_path / "empty"))


def test_resume_with_another_component_lets_its_options_go(bind, tmp_path):
    Manifest.begin(
        tmp_path / "checkpoints" / "version_0" / "manifest.json", bind("--model", "other", "--depth", "8")[-1]
    )
    assert bind("--resume", "-s", str(tmp_path))[1] == Other(depth=8)
    assert bind("--resume", "-s", str(tmp_path), "--model", "net")[1] == Net()


def test_given_is_what_the_user_said(bind, toml, tmp_path):
    said = bind(
        "--count", "5", "-G", "2", "--cut_off=1", "--preset", "tiny", *toml("title = 'x'\nwindow.shape = 'box'")
    )[-1]
    named = {"count", "gpus", "cut-off", "preset", "config", "title", "window.shape"}
    assert said.given == named | {"layers", "rounds"}  # those of the preset
    assert bind()[-1].given == set()
    Manifest.begin(tmp_path / "checkpoints" / "version_0" / "manifest.json", said)
    resumed = bind("--resume", "-s", str(tmp_path), "--count", "6")[-1]
    assert resumed.given == {"resume", "save-dir", "count"}
    assert resumed.argv == ("--resume", "-s", str(tmp_path), "--count", "6")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["--path", "x"], "listing"),
        (["--path=x"], "listing"),
        (["-d", "x"], "folder"),
        (["-dx"], "folder"),
        (["-d=x"], "folder"),
        (["--data_dir", "x"], "folder"),
        (["--data_dir=x"], "folder"),
        (["--dataset=synthetic"], "synthetic"),
        ([], "every"),
    ],
)
def test_choice_of_one(bind, words, name):
    assert bind(*words)[0].name == name


def test_choice_by_file(bind, toml):
    assert bind(*toml("dataset = 'synthetic'"))[0].name == "synthetic"
    assert bind(*toml("data_dir = 'x'"))[0].data_dir == Path("x")
    assert bind(*toml("dataset = 'synthetic'"), "--dataset", "every")[0] == Every()
    assert bind(*toml("metric = ['second', 'first']\n[first]\nn_fft = 64"))[2] == [Second(), First(64)]
    assert bind(*toml("metric = 'second'"))[2] == [Second()]
    with pytest.raises(UsageError, match="No dataset named '5'"):
        bind(*toml("dataset = 5"))


def test_choice_of_several(bind):
    assert bind()[2] == [First()]
    assert bind("-m", "second")[2] == [Second()]
    assert bind("-msecond")[2] == [Second()]
    assert bind("-m", "second", "--metric", "first", "--first.n-fft", "64")[2] == [Second(), First(64)]
    assert bind("--metric=first", "-m", "first", "--first.n_fft=64")[2] == [First(64)]
    with pytest.raises(UsageError, match=r"Unknown option: --second\.n-fft"):
        bind("-m", "second", "--second.n-fft", "64")
    with pytest.raises(UsageError, match=r"--first\.n-fft is an option of metric first, not of second"):
        bind("-m", "second", "--first.n-fft", "64")


def test_slot_without_default_must_be_chosen(registry, capsys):
    with pytest.raises(UsageError, match="Choose with --metric: first, second"):
        Command(SCORE, [], registry)
    Command(SCORE, ["--help"], registry).help()
    assert "[installed: first, second]" in capsys.readouterr().out


def test_help_is_there_where_the_default_is_not_installed(offer, capsys):
    command = Command(WORK, ["--help"], offer(Every, First, WORK))
    command.help()
    assert "Which model. [installed: none]" in capsys.readouterr().out
    with pytest.raises(UsageError, match="No model named 'net'; installed: none"):
        Command(WORK, [], offer(Every, First, WORK))


def test_positional_arguments(registry):
    words = ["a.npz", "b.npz", "-m", "second", "--seed", "3"]
    assert Command(SCORE, words, registry).bind()().data == ((Path("a.npz"), Path("b.npz")), [Second()], 3)


MISUSE = {
    "unknown flag": (["--cuont", "5"], "", "Did you mean --count"),
    "bad number": (["--count", "five"], "", 'unable to convert "five" into int'),
    "bad literal": (["--size", "4097"], "", "auto"),
    "bad enum": (["--level", "loud"], "", "very-loud"),
    "no value": (["--count"], "", "--count"),
    "no name": (["--dataset"], "", "No dataset named ''"),
    "twice": (["--dataset", "every", "--dataset", "synthetic"], "", "--dataset"),
    "left over": (["stray"], "", "stray"),
    "unknown component": (["--dataset", "evry"], "", "Did you mean every?"),
    "unknown metric": (["-m", "frist"], "", "Did you mean first?"),
    "unknown preset": (["--preset", "tinny"], "", "Did you mean tiny?"),
    "other's option": (["--depth", "3"], "", "--depth is an option of model"),
    "unknown option": (["--cuont", "3"], "", "Unknown option: --cuont. Did you mean --count?"),
    "option without its component": (["--n-fft", "64"], "", "Unknown option: --n-fft. Did you mean --first.n-fft?"),
    "nothing after a flag": (["--level"], "", "--level needs a value"),
    "word without a flag": (["data"], "", "takes options alone, and data belongs to none"),
    "two owners": (["--dataset", "clashing"], "", "--rounds is an option of dataset clashing and of Group"),
    "unknown key": ([], "cuont = 3", "options.toml: there is no option 'cuont'. Did you mean count?"),
    "unknown key below": ([], "[window]\nhop_len = 3", "Did you mean --window.hop-length?"),
    "unknown key of one of several": ([], "first = {nfft = 3}", "Did you mean --first.n-fft?"),
    "file in a file": ([], "config = 'x'", "there is no option 'config'"),
    "odd preset": ([], "preset = ['no']", "No preset named 'no'"),
    "bad value": ([], "count = 'x'", "[count] from"),
    "wrong type": ([], "count = [1, 2]", "[count] from"),
    "not toml": ([], "count = = 3", "Cannot read --config"),
}


@pytest.mark.parametrize("case", MISUSE)
def test_misuse_is_told(bind, toml, case):
    words, text, told = MISUSE[case]
    with pytest.raises(UsageError) as caught:
        bind(*words, *(toml(text) if text else []))
    assert told in str(caught.value)
    assert caught.value.exit_code == 2


def test_file_that_is_not_there(bind, tmp_path):
    with pytest.raises(UsageError, match=r"Cannot read --config .*nowhere.toml"):
        bind("--config", str(tmp_path / "nowhere.toml"))
    with pytest.raises(UsageError, match="Cannot read --config"):
        bind("--config", str(tmp_path))


def test_help_shows_the_options_of_what_is_chosen_in_panels_of_their_own(registry, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")

    def shown(*words):
        Command(WORK, [*words, "--help"], registry).help()
        return capsys.readouterr().out

    plain = shown()
    assert "Usage: canarygan work" in plain
    panels = [line.split("─ ")[1].split(" ─")[0] for line in plain.splitlines() if line.startswith("╭")]
    assert sorted(panels) == ["Group", "Parameters", "dataset every", "metric first", "model net"]
    assert "--layers" in plain.partition("─ model net ─")[2]
    assert "--window.hop-length" in plain.partition("─ dataset every ─")[2]
    assert "--first.n-fft" in plain
    assert "--depth" not in plain
    assert "Work on <label> things." in plain
    assert "such as <label>." in plain
    assert "How many <clips>, clips." in plain
    assert "tiny: --layers 1 --rounds 2" in plain
    other = shown("--model", "other", "-m", "second")
    assert "model other" in other
    assert "--depth" in other
    assert "model net" not in other
    assert "--first" not in other
    assert "--preset" not in other


def installed_commands():
    registry = really_installed()
    for task in registry.tasks():
        yield Command(task, ["--help"], registry)
        for choice in Command(task, ["--help"], registry).choices:
            for name in registry.names(choice.kind):
                yield Command(task, [choice.flag, name, "--help"], registry)


def test_every_option_that_is_installed_has_a_help_text():
    silent, seen = [], 0
    for command in installed_commands():
        for argument in command.app.assemble_argument_collection(parse_docstring=True):
            if argument.names == ("*",) or list(argument.children):
                continue
            seen += 1
            if not argument.parameter.help:
                silent.append(f"{command.task.name} {argument.name}")
        assert command.app.help, command.task.name
    assert seen > 20
    assert silent == []


@pytest.mark.parametrize("name", really_installed().names("task"))
def test_an_installed_task_binds_or_says_what_it_wants(name):
    registry = really_installed()
    try:
        bound = Command(registry.get("task", name), [], registry).bind()
    except UsageError as error:
        told = str(error)
    else:
        told = " needs --nothing" if callable(bound.function) else ""
    assert re.search(r" needs --|Choose with|No (model|projector) named", told)


def test_peek():
    words = ["--model", "a", "--model=b", "-m", "c", "-md", "-m=e", "--mo", "f", "--model"]
    assert peek(words, "--model") == ["a", "b", ""]
    assert peek(words, "--model", "-m") == ["a", "b", "c", "d", "e", ""]
    assert peek(["--data_dir", "x_y"], "--data-dir") == ["x_y"]
    assert peek([], "--model") == []


def test_jsonable():
    value = {"a": (Path("x"), {1}), 2: Window(), "e": Level.VERY_LOUD, "n": None, "t": True}
    window = {"hop_length": 128, "shape": "hann"}
    assert jsonable(value) == {"a": ["x", [1]], "2": window, "e": "very-loud", "n": None, "t": True}
    assert is_dataclass(Window)
    assert jsonable(Every()) == json.loads(json.dumps(jsonable(Every())))
