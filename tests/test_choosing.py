"""Which components are chosen, and what is told of misuse."""

import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, ClassVar

import pytest
from cyclopts import Parameter
from toy_tasks import SCORE, Every, First, Second

from canarygan_core import hookimpl
from canarygan_core.cli.binding import Command
from canarygan_core.cli.choosing import choose, find_slots
from canarygan_core.components import Dataset, Slot, Task
from canarygan_core.errors import UsageError
from canarygan_core.plugins import Registry
from canarygan_core.plugins import get_registry as really_installed
from canarygan_core.plugins.registry import Plugin


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
    with pytest.raises(UsageError, match="Choose with --metric: first, second, seed"):
        Command(SCORE, [], registry)
    Command(SCORE, ["--help"], registry).help()
    assert "[installed: first, second, seed]" in capsys.readouterr().out


def test_positional_arguments(registry):
    words = ["a.npz", "b.npz", "-m", "second", "--seed", "3"]
    assert Command(SCORE, words, registry).bind()().data == ((Path("a.npz"), Path("b.npz")), [Second()], 3)


MISUSE = {
    "unknown flag": (["--cuont", "5"], "", "Did you mean --count"),
    "bad number": (["--count", "five"], "", 'unable to convert "five" into int'),
    "bad literal": (["--size", "4097"], "", "auto"),
    "bad enum": (["--level", "loud"], "", "very-loud"),
    "no value": (["--count"], "", "--count"),
    "no name": (["--dataset"], "", "--dataset needs a value"),
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
    "other's group": (["--dataset", "clashing", "--dataset.ronds", "3"], "", "Did you mean --dataset.rounds?"),
    "shorter in a file": ([], "model = 'wide'\ndataset = 'broad'\nwidth = 3", "dataset.width or model.width"),
    "shorter": (["--model", "wide", "--dataset", "broad", "--width", "3"], "", "--dataset.width or --model.width"),
    "unknown key": ([], "cuont = 3", "options.toml: there is no option 'cuont'. Did you mean count?"),
    "unknown key below": ([], "[window]\nhop_len = 3", "Did you mean --window.hop-length?"),
    "unknown key of one of several": ([], "first = {nfft = 3}", "Did you mean --first.n-fft?"),
    "file in a file": ([], "config = 'x'", "there is no option 'config'"),
    "odd preset": ([], "preset = ['no']", "No preset named 'no'"),
    "bad value": ([], "count = 'x'", "[count] from"),
    "wrong type": ([], "count = [1, 2]", "[count] from"),
    "switch": (["--resume=maybe"], "", 'Invalid value for --resume: unable to convert "maybe"'),
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
    with pytest.raises(UsageError, match=r"Cannot read --config \S*nowhere.toml: No such file or directory\.$"):
        bind("--config", str(tmp_path / "nowhere.toml"))
    with pytest.raises(UsageError, match="Cannot read --config"):
        bind("--config", str(tmp_path))


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


@dataclass(frozen=True)
class Field(Dataset):
    """A dataset that claims folders with a file `claimed` in them."""

    name: ClassVar[str] = "field"
    data_dir: Annotated[Path | None, Parameter(alias="-d")] = None
    """Where it is, path."""
    rate: int = 8000
    """Rate, Hz."""

    @classmethod
    def claims(cls, data_dir):
        return (data_dir / "claimed").exists()

    def load(self):
        raise NotImplementedError


@dataclass(frozen=True)
class Meadow(Field):
    """Another that claims the same."""

    name: ClassVar[str] = "meadow"


def registry_with(*classes):
    registry = Registry()
    for cls in classes:
        offer = SimpleNamespace(register_datasets=hookimpl(lambda cls=cls: [cls]))
        offer.register_datasets.__name__ = "register_datasets"
        registry.add(Plugin(cls.__name__, "d", "1"), offer)
    return registry


def loads(*, dataset: Annotated[Dataset, Slot("every")], rate: int = 5):
    """Take a dataset.

    Args:
        rate: The task's own.
    """


def supplies(*, dataset: Annotated[Dataset, Slot("field", supplied=("rate",))], rate: int = 5):
    """Take a dataset and set its rate.

    Args:
        rate: The task's own.
    """


def task_of(function):
    class Given(Task):
        def load(self):
            return function

    return Given("given", "none:none", "Given.")


def test_a_dataset_is_chosen_by_the_folder_that_it_claims(tmp_path):
    registry = registry_with(Every, Field)
    (claimed := tmp_path / "claimed").touch()
    words = ["-d", str(tmp_path)]
    chosen = Command(task_of(supplies), words, registry).choices[0].classes
    assert chosen == (Field,)
    assert Command(task_of(supplies), ["--dataset", "every"], registry).choices[0].classes == (Every,)
    claimed.unlink()
    other = choose(find_slots(loads)[0], words, [], registry)
    assert other.classes == (Every,)


def test_a_folder_that_two_datasets_claim_chooses_none(tmp_path):
    (tmp_path / "claimed").touch()
    chosen = choose(find_slots(loads)[0], ["-d", str(tmp_path)], [], registry_with(Every, Field, Meadow))
    assert chosen.classes == (Every,)


def test_an_option_that_the_task_supplies_is_no_flag_of_the_component(capsys):
    registry = registry_with(Field)
    bound = Command(task_of(supplies), ["-d", "x", "--rate", "7"], registry).bind()
    assert bound.arguments == {"dataset": Field(Path("x")), "rate": 7}
    assert type(bound.arguments["dataset"]) is Field
    Command(task_of(supplies), ["--help"], registry).help()
    assert capsys.readouterr().out.count("--rate") == 1
    words = ["--dataset", "field", "-d", "x", "--rate", "7", "--dataset.rate", "9"]
    both = Command(task_of(loads), words, registry).bind().arguments
    assert (both["rate"], both["dataset"].rate) == (7, 9), "not supplied, it has a flag of its own"
