"""The contract suite: it passes what is sound, and says of a class that is not what to change."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest
from specimens import SOUND, Level, Toy, broken, spectra

from canarygan_core import Metric
from canarygan_core.datasets.folder import Folder
from canarygan_core.datasets.synthetic import Synthetic
from canarygan_core.plugins import get_registry
from canarygan_core.testing import check_cheap_import, check_component, toy_clips

if TYPE_CHECKING:
    from fractions import Fraction


@pytest.mark.parametrize("cls", SOUND)
def test_sound_components_pass(cls):
    check_component(cls)


def test_builtin_datasets_pass(tmp_path, monkeypatch):
    soundfile = pytest.importorskip("soundfile")
    check_component(Synthetic, per_class=1, syllables=2)
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    clips = toy_clips(4)
    for sound, source in zip(clips.audio, clips.sources, strict=True):
        (tmp_path / "data" / source).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "data" / source, sound, clips.rate)
    check_component(Folder, data_dir=tmp_path / "data")


SMALL = {"wavegan": {"dim": 2, "slice_len": 4096, "critic_updates": 1}}


@pytest.mark.parametrize("name", get_registry().names("model"))
def test_installed_models_pass(name):
    check_component(get_registry().get("model", name), **SMALL.get(name, {}))


def without_kind():
    @dataclass(frozen=True)
    class Plain:
        name: ClassVar[str] = "plain"

    return Plain


def of_two_kinds():
    @dataclass(frozen=True)
    class Both(Level, Toy):
        name: ClassVar[str] = "both"

    return Both


def undecorated():
    class Plain(Level):
        name = "plain"

    return Plain


def silent():
    @dataclass(frozen=True)
    class Silent(Metric):
        name: ClassVar[str] = "silent"
        floor: float = 0.0

        def score(self, generated, reference):
            return {"x": 1.0}

    return Silent


def unimportable():
    @dataclass(frozen=True)
    class Hidden(Level):
        name: ClassVar[str] = "hidden"
        part: "Fraction | None" = None
        """Part."""

    return Hidden


def required():
    @dataclass(frozen=True)
    class Required(Metric):
        """Needs a file."""

        name: ClassVar[str] = "required"
        model: Path
        """Checkpoint."""

        def score(self, generated, reference):
            return {"x": 1.0}

    return Required


def listing():
    @dataclass(frozen=True)
    class Listing(Level):
        name: ClassVar[str] = "listing"
        parts: list[int] = field(default_factory=list)
        """Parts."""

    return Listing


def forgetful():
    @dataclass(frozen=True)
    class Forgetful(Level):
        name: ClassVar[str] = "forgetful"
        size: int = 1
        """Size."""

        def __post_init__(self):
            object.__setattr__(self, "size", self.size + 1)

    return Forgetful


def unequal():
    @dataclass(frozen=True, eq=False)
    class Unequal(Level):
        name: ClassVar[str] = "unequal"

        def __eq__(self, other):
            return self is other

        __hash__ = Level.__hash__

    return Unequal


def careless():
    @dataclass(frozen=True)
    class Careless(Level):
        name: ClassVar[str] = "careless"
        size: int = 1
        """Size."""

        def __post_init__(self):
            np.zeros(self.size)

    return Careless


CLASSES = {
    "option's error": (careless, r"Careless\(size=-1\) raises ValueError: negative dimensions .* raise CanaryganError"),
    "instance": (lambda: Level(), "is not a class"),
    "no kind": (without_kind, "must derive from exactly one of Model, Dataset"),
    "two kinds": (of_two_kinds, "not from 2 of them"),
    "no decorator": (undecorated, "must be decorated with @dataclass"),
    "no name": (lambda: broken(Level, name=""), "has no name"),
    "bad name": (lambda: broken(Level, name="My Metric"), "cannot be named 'My Metric'"),
    "abstract": (lambda: broken(Metric, name="abstract"), "does not define score"),
    "no help": (silent, "Silent.floor has no help: write a string under the field"),
    "hidden type": (unimportable, "outside of `if TYPE_CHECKING`"),
    "required": (
        required,
        r"Required.model has no default: give it one, or pass a value .* check_component\(Required, model",
    ),
    "unhashable": (listing, "let its fields be tuples"),
    "unequal": (unequal, "leave __eq__ to the dataclass"),
    "no round trip": (forgetful, "comes back from its record as"),
}


@pytest.mark.parametrize("case", CLASSES)
def test_classes_that_break_the_contract(case):
    make, told = CLASSES[case]
    with pytest.raises(AssertionError, match=told):
        check_component(make())


def test_a_required_option_may_be_given():
    check_component(required(), model=Path("x"))


PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar
from canarygan_core import Metric, hookimpl

@dataclass(frozen=True)
class One(Metric):
    name: ClassVar[str] = "one"

    def score(self, generated, reference):
        import numpy as np
        return {"one": float(np.ones(1)[0])}

@hookimpl
def register_metrics():
    return [One]
"""


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (PLUGIN, ""),
        ("import numpy\n" + PLUGIN, "imports numpy: import them within the functions that use them"),
        (PLUGIN.replace("    return [One]", "    import numpy\n    return [One]"), "imports numpy"),
        (PLUGIN.replace("register_metrics", "register_metrcs"), "Did you mean register_metrics"),
        ("import nowhere_to_be_found", "cannot be imported"),
    ],
)
def test_cheap_import(tmp_path, monkeypatch, source, told):
    (tmp_path / "cheap_or_not.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    if not told:
        check_cheap_import("cheap_or_not")
        return
    with pytest.raises(AssertionError, match=told):
        check_cheap_import("cheap_or_not")


def test_toy_clips_are_tones_that_their_classes_tell_apart():
    clips = toy_clips(30, classes=3, samples=2048, rate=8000)
    assert (clips.audio.shape, clips.audio.dtype, clips.rate) == ((30, 2048), np.float32, 8000)
    assert clips.classes == ["s0", "s1", "s2"]
    assert [clips.labels.tolist().count(label) for label in clips.classes] == [10, 10, 10]
    assert np.abs(clips.audio).max() < 1
    peaks = spectra(clips).argmax(1) * 8000 / 2048  # Hz
    for label, pitch in zip(clips.classes, np.linspace(8000 / 20, 8000 / 3, 3), strict=True):
        assert np.allclose(peaks[clips.labels == label], pitch, rtol=0.03)
    assert len(set(clips.sources)) == 30


def test_toy_clips_follow_their_seed():
    assert np.array_equal(toy_clips(seed=1).audio, toy_clips(seed=1).audio)
    assert not np.array_equal(toy_clips(seed=1).audio, toy_clips(seed=2).audio)
    assert toy_clips(seed=1).origin != toy_clips(seed=2).origin
