"""Options of components: as records, as flags, as words to type, and with the values of the task that takes them."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from cyclopts import Parameter
from refusals import told

from canarygan_core import Metric
from canarygan_core.plugins import options


class Level(enum.Enum):
    SOFT = 1
    VERY_LOUD = 2


@dataclass(frozen=True)
class Window:
    hop_length: int = 128
    edges: tuple[float, ...] = (0.5,)
    only: str | None = None


@dataclass(frozen=True)
class Toy(Metric):
    """A toy."""

    name: ClassVar[str] = "toy"
    formerly: ClassVar[Mapping[str, Any]] = {"cut_off": 9.0}

    cut_off: Annotated[float, Parameter(alias=["-c"])] = 0.5
    count: int = 3
    loud: bool = False
    calm: bool = True
    title: str = "a"
    level: Level = Level.SOFT
    place: Path = Path("here")
    places: tuple[Path, ...] = ()
    bands: tuple[int, ...] = (1, 2)
    limit: int | None = None
    most: int | None = 7
    window: Window = Window()
    more: dict[str, int] = field(default_factory=dict)

    def score(self, generated, reference):
        return {}


@dataclass(frozen=True)
class Needy(Metric):
    name: ClassVar[str] = "needy"

    count: int

    def score(self, generated, reference):
        return {}


RECORD = {
    **{"cut_off": 0.5, "count": 3, "loud": False, "calm": True, "title": "a", "level": "soft", "place": "here"},
    **{"places": [], "bands": [1, 2], "limit": None, "most": 7},
    **{"window": {"hop_length": 128, "edges": [0.5], "only": None}, "more": {}},
}


def test_a_record_has_every_option():
    assert options.to_json(Toy()) == RECORD
    changed = Toy(level=Level.VERY_LOUD, places=(Path("a"), Path("b")), more={"x": 1})
    assert options.to_json(changed) == RECORD | {"level": "very-loud", "places": ["a", "b"], "more": {"x": 1}}
    assert options.to_json({1: {"a"}, "b": frozenset()}) == {"1": ["a"], "b": []}
    assert options.to_json(Toy) is Toy


@pytest.mark.parametrize(
    "toy",
    [
        Toy(),
        Toy(limit=3, most=None),
        Toy(
            2.5,
            7,
            True,
            False,
            "b c",
            Level.VERY_LOUD,
            Path("x"),
            (Path("a"), Path("b")),
            (),
            5,
            None,
            Window(1, ()),
            {},
        ),
        Toy(window=Window(only="this"), more={"x": 1, "y": 2}),
    ],
)
def test_a_component_comes_back_from_its_record(toy):
    assert options.restore(Toy, options.to_json(toy)) == toy


def test_a_record_may_lack_what_came_later():
    assert options.restore(Toy, {}) == Toy(cut_off=9.0)
    assert options.restore(Toy, {"cut_off": 1, "title": "b"}) == Toy(cut_off=1.0, title="b")


def test_a_record_that_does_not_fit_is_named(capsys):
    message = told(options.restore, Toy, {"count": "many"})
    assert message.startswith("metric toy cannot have the options {'cut_off': 9.0, 'count': 'many'}: ")
    assert '"many"' in message
    assert "from its record" in message
    assert "metric toy cannot have the options" in told(options.restore, Toy, {"unknown": 1})
    assert "metric needy cannot have the options {}" in told(options.restore, Needy, {})
    assert options.restore(Needy, {"count": 2}) == Needy(2)
    assert told(options.parse_group, Window, {"hop": 3}, "here")
    assert capsys.readouterr() == ("", ""), "the message is all that is said"


def test_paths_start_where_they_were_given(tmp_path, monkeypatch):
    record = {"place": "a", "places": ["b", "/c"], "title": "d"}
    placed = Toy(cut_off=9.0, place=tmp_path / "a", places=(tmp_path / "b", Path("/c")), title="d")
    assert options.restore(Toy, record, tmp_path) == options.restore(Toy, record, str(tmp_path)) == placed
    assert options.find_paths(Toy) == {"place", "places"}
    flags = {"metric.place": "a", "place": "b", "dataset.place": "c", "title": "d"}
    assert options.place_paths(Toy, flags, tmp_path, "metric") == {
        **{"metric.place": f"{tmp_path}/a", "place": f"{tmp_path}/b", "dataset.place": "c", "title": "d"}
    }
    assert flags["place"] == "b"
    monkeypatch.chdir(tmp_path)
    assert options.place_paths(Toy, flags, tmp_path, "metric") == options.place_paths(Toy, flags, "") == flags


def test_a_group_of_options_is_typed_like_flags():
    group = options.parse_group(Window, {"hop_length": "3", "edges": [1, 2]}, "preset tiny")
    assert group == Window(3, (1.0, 2.0))
    assert type(group.edges[0]) is float
    assert options.parse_group(Window, {}, "preset tiny") == Window()
    assert "preset tiny" in told(options.parse_group, Window, {"hop": 3}, "preset tiny")
    assert '"x"' in told(options.parse_group, Window, {"hop_length": "x"}, "preset tiny")


def test_recorded_options_as_flags():
    part = {"name": "toy", "options": {"cut_off": 1.0, "limit": None, "window": {"hop_length": 3, "only": None}}}
    other = {"name": "soft", "options": {"level": "soft"}}
    recorded = {
        "dataset": part,
        "metrics": [part, other, {"name": "no options"}, 3],
        "task": {"n_samples": 5, "cut_off": 2.0, "where": None, "empty": {}},
        "unknown": 3,
    }
    own = {"cut_off": 1.0, "window": {"hop_length": 3}}
    assert options.to_flags(recorded) == {
        **{"dataset": "toy", "cut-off": 2.0, "window": {"hop_length": 3}},
        **{"dataset.cut-off": 1.0, "dataset.window": {"hop_length": 3}},
        **{"metrics": ["toy", "soft"], "toy": own, "soft": {"level": "soft"}},
        **{"metrics.toy": own, "metrics.soft": {"level": "soft"}, "n-samples": 5},
    }
    assert options.to_flags({}) == {}


@pytest.mark.parametrize(
    ("toy", "words"),
    [
        (Toy(), ""),
        (Toy(cut_off=2.0, count=4), "-c 2 --count 4"),
        (Toy(cut_off=2.5, loud=True, calm=False), "-c 2.5 --loud --no-calm"),
        (Toy(title="b c", level=Level.VERY_LOUD), "--title 'b c' --level very-loud"),
        (Toy(bands=(3, 4), places=(Path("a"), Path("b d"))), "--places a --places 'b d' --bands 3 --bands 4"),
        (Toy(window=Window(3, (1.0, 2.5))), "--window.hop_length 3 --window.edges 1 --window.edges 2.5"),
        (Toy(limit=5, most=None), "--limit 5"),
        (Needy(3), "--count 3"),
    ],
)
def test_options_are_spelled_to_be_typed(toy, words):
    assert options.spell(toy) == words
    assert options.spell(toy, "--metric") == f"--metric {toy.name} {words}".rstrip()
    app = options.build_app(type(toy))
    _, bound, _ = app.parse_args(options.spell(toy), exit_on_error=False, print_error=False)
    bound.apply_defaults()
    if "most" not in options.to_json(toy) or toy.most is not None:
        assert bound.arguments["component"] == toy


def test_values_of_the_task_go_to_what_was_not_given():
    values = {"cut_off": 8.0, "count": 6, "unknown": 1}
    assert options.fill_in(Toy(), set(), values) == Toy(8.0, 6)
    assert options.fill_in(Toy(), {"cut-off"}, values) == Toy(count=6)
    assert options.fill_in(Toy(), {"metric.count", "title"}, values) == Toy(8.0)
    assert options.fill_in(Toy(), {"dataset.count"}, values) == Toy(8.0, 6)
    assert options.share_values(Toy(), set(), **values) == Toy(8.0, 6)
    assert options.share_values(Toy(), {"toy.cut_off"}, **values) == Toy(count=6)
    assert options.share_values(Toy(), {"metrics.toy.count", "other.cut-off"}, **values) == Toy(8.0)
    assert options.share_values(Toy(), {"cut-off", "count"}, **values) == Toy(8.0, 6)


def test_a_flag_that_clashes_is_spelled_with_its_part():
    assert options.name_apart("held_out", "share") == "held-out.share"
    given = {"cut-off": 1, "count": 2, "unknown": 3}
    flags = ["--held-out.cut-off", "--count", "--held-out.unknown"]
    assert options.spell_apart(Toy, "held_out", given, flags) == {"held-out.cut-off": 1, "count": 2, "unknown": 3}


def test_hidden_options_are_no_flags_and_keep_their_defaults():
    annotation, default = options.annotate(Toy, hidden=("count", "title"))
    shown = annotation.__origin__
    assert default == shown()
    assert (default.count, default.title, shown.name, shown.__doc__) == (3, "a", "toy", "A toy.")
    assert shown.__module__ == Toy.__module__
    made = options.make_command([options.make_parameter("toy", annotation, default)], "Its help.")
    assert made.__doc__ == "Its help."
    assert options.annotate(Needy)[1] is options.inspect.Parameter.empty
    with pytest.raises(AssertionError):
        made()
