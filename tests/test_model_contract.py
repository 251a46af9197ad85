"""The contract suite on models: what they promise beyond their class."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from specimens import Changed, Net, broken

from canarygan_core import CanaryganError
from canarygan_core.testing import check_component, toy_clips


def raising(error):
    def load(cls, checkpoint, *, device="cpu"):
        raise error

    return classmethod(load)


def unpickling(cls, checkpoint, *, device="cpu"):
    try:
        return pickle.loads(checkpoint.read_bytes())
    except pickle.UnpicklingError:
        raise CanaryganError("No net in it.") from None


def pickled_mark(cls, checkpoint, *, device="cpu"):
    unpickling(cls, checkpoint)
    raise CanaryganError("Too late.")


def generating(change):
    """A model whose sounds are changed, given the latents."""

    def load(cls, checkpoint, *, device="cpu"):
        inner = Net.load(checkpoint)
        return Changed(inner, generate=lambda one, z: change(one.generate(z), z))

    return {"load": classmethod(load)}


def describing(kind, gain):
    """A model whose generator describes itself, as one layer of this kind."""

    def load(cls, checkpoint, *, device="cpu"):
        layer = {"kind": kind, "bias": np.zeros(4096, np.float32)}
        return Changed(Net.load(checkpoint), layers=lambda one: [{**layer, "weight": gain * one.x.T}])

    return {"load": classmethod(load)}


def trains(change):
    """A model that does something after it has trained."""

    def train(self, clips, run, *, training):
        Net.train(self, clips, run, training=training)
        change(run)

    return {"train": train}


def unseeded():
    calls = []

    def learnt(self, clips, training):
        calls.append(1)
        return clips.audio[:2] * np.float32(0.1 * len(calls))

    return learnt


def forgetting(self, clips, run, *, training):
    Net.train(self, clips, run, training=replace(training, max_epochs=1 if run.resume_from else 2))


def of_any(self, clips, run, *, training):
    Net.train(self, clips if len(clips) else toy_clips(), run, training=training)


def breaking(self, clips, run, *, training):
    if not len(clips):
        raise ZeroDivisionError("no clips")
    Net.train(self, clips, run, training=training)


def few_layers(self):
    if not 0 < self.layers < 9:
        raise CanaryganError("Too many layers.")


MODELS = {
    "no last": (trains(lambda run: run.last.unlink()), "must leave its last checkpoint at run.last"),
    "none kept": (
        trains(lambda run: [path.unlink() for path in run.checkpoints.glob("all/*")]),
        "must keep checkpoints",
    ),
    "misnamed": (
        trains(lambda run: [path.rename(path.with_name("a.ckpt")) for path in run.checkpoints.glob("all/*")]),
        "progress says epoch_1-step_1.ckpt, and all/ holds a.ckpt",
    ),
    "rate": (
        {"load": classmethod(lambda cls, path, *, device="cpu": replace(Net.load(path), rate=1))},
        "rate must be the clips', 16000 Hz",
    ),
    "shape": (generating(lambda sounds, z: sounds[:, :-1]), r"must give \(n, samples\), \(5, 4096\)"),
    "type": (generating(lambda sounds, z: sounds.astype(float)), "must give float32, not float64"),
    "nan": (generating(lambda sounds, z: sounds * np.float32(np.nan)), "NaN or infinite samples"),
    "silence": (generating(lambda sounds, z: sounds * 0), "gives silence"),
    "other layers": (describing("linear", 2), "the layers that layers.. gives must make the sounds of generate"),
    "unknown layer": (describing("attention", 1), "must give layers that `Generator` names: .*'attention'"),
    "latents": (generating(lambda sounds, z: sounds + z.__imul__(2)[:, :1]), "changes the latents"),
    "noise": (
        generating(lambda sounds, z: sounds + np.float32(np.random.default_rng().random())),
        "equal latents must give equal bytes",
    ),
    "unseeded": ({"learnt": unseeded()}, "learns something else the second time"),
    "goes back": ({"train": forgetting}, "must go on from run.resume_from: after epoch 2 came 1"),
    "no clips": ({"train": of_any}, "Broken.train must raise CanaryganError on no clips"),
    "breaks on no clips": ({"train": breaking}, "Broken.train must raise CanaryganError on no clips, not ZeroDivision"),
    "loads anything": (
        {"load": classmethod(lambda cls, checkpoint, *, device="cpu": object())},
        "no checkpoint .junk.",
    ),
    "other error": ({"load": raising(KeyError("state"))}, "that is no checkpoint .junk., not KeyError"),
    "unpickles": ({"load": classmethod(pickled_mark)}, "runs code from the file"),
    "preset data": ({"preset_data": {"big": {"gain": "set"}}}, "preset_data names big, which is no preset"),
    "preset": ({"presets": {"big": {"layres": 3}}}, "preset big sets layres, which is no option"),
    "preset's type": ({"presets": {"big": {"layers": "many"}}}, "preset big cannot be taken: .*layers"),
    "preset's training": ({"presets": {"big": {"max_epochs": "many"}}}, "preset big cannot be taken: .*max-epochs"),
    "preset refused by the training": ({"presets": {"big": {"batch-size": 0}}}, "--batch-size must be at least 1"),
    "preset refused": (
        {"presets": {"big": {"layers": 99}}, "__post_init__": few_layers},
        "preset big cannot be taken: Too many layers",
    ),
}


def drawing(draw, latent_range=(-1.0, 1.0)):
    """A model that draws its own latents, and says in which range they lie."""

    def load(cls, checkpoint, *, device="cpu"):
        generator = Changed(Net.load(checkpoint), draw_latents=lambda one, count, rng: draw(count, one.latent_dim, rng))
        generator.latent_range = latent_range
        return generator

    return {"load": classmethod(load)}


def uniform(count, dim, rng):
    return rng.uniform(-1, 1, (count, dim)).astype(np.float32)


DRAWS = {
    "too few": (
        lambda count, dim, rng: uniform(count - 1, dim, rng),
        r"must give float32 \(50, 2\), not float32 \(49, 2\)",
    ),
    "too wide": (lambda count, dim, rng: uniform(count, dim + 1, rng), r"must give float32 \(50, 2\)"),
    "double": (lambda count, dim, rng: rng.uniform(-1, 1, (count, dim)), "must give float32 .*, not float64"),
    "unseeded": (
        lambda count, dim, rng: uniform(count, dim, np.random.default_rng()),
        "draw_latents must draw from the rng that it is given alone",
    ),
    "outside": (lambda count, dim, rng: 3 * uniform(count, dim, rng), "draws outside of latent_range, -1 to 1"),
}


@pytest.mark.parametrize("case", DRAWS)
def test_a_model_that_draws_wrong_latents_is_named(case):
    draw, told = DRAWS[case]
    with pytest.raises(AssertionError, match=told):
        check_component(broken(Net, **drawing(draw)))


def test_a_model_may_draw_its_own_latents():
    check_component(broken(Net, **drawing(uniform)))
    check_component(broken(Net, **drawing(lambda *drawn: 3 * uniform(*drawn), latent_range=None)))


def giving(change):
    """A model that gives its network, changed."""
    torch = pytest.importorskip("torch")

    class Network(torch.nn.Module):
        def __init__(self, x):
            super().__init__()
            self.x = torch.from_numpy(x.copy())

        def forward(self, z):
            return change(z, self.x)

    def load(cls, checkpoint, *, device="cpu"):
        return Changed(Net.load(checkpoint), module=lambda one: Network(one.x))

    return {"load": classmethod(load)}


NETWORKS = {
    "other sounds": (lambda z, x: 0.9 * z @ x, r"module\(\) gives must make the sounds of generate"),
    "other shape": (lambda z, x: (z @ x)[:, None], r"module\(\) gives must make the sounds of generate"),
    "detached": (lambda z, x: z.detach() @ x + 0 * z.sum(), "gradients must pass through the network"),
    "without gradients": (lambda z, x: z.detach() @ x, "gradients must pass through the network"),
}


@pytest.mark.parametrize("case", NETWORKS)
def test_a_model_that_gives_a_wrong_network_is_named(case):
    change, told = NETWORKS[case]
    with pytest.raises(AssertionError, match=told):
        check_component(broken(Net, **giving(change)))


def test_a_model_may_give_its_network():
    check_component(broken(Net, **giving(lambda z, x: z @ x)))


@pytest.mark.parametrize("case", MODELS)
def test_models_that_break_their_promise(case):
    changed, told = MODELS[case]
    with pytest.raises(AssertionError, match=told):
        check_component(broken(Net, **changed))


def test_a_model_may_describe_its_layers():
    check_component(broken(Net, **describing("linear", 1)))
