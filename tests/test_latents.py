"""Latents: drawn as asked, read or refused."""

import json
import pickle

import numpy as np
import pytest

from canarygan_core.errors import CanaryganError, UsageError
from canarygan_core.fitted import latents

MOMENTS = {  # mean and standard deviation of the default parameters
    "uniform": (0, 1 / np.sqrt(3)),
    "normal": (0, 1),
    "laplace": (0, np.sqrt(2)),
    "logistic": (0, np.pi / np.sqrt(3)),
    "triangular": (0, 1 / np.sqrt(6)),
    "beta": (0.5, np.sqrt(1 / 8)),
}

OTHERS = {  # some parameters, and all of them, each with the mean that they give
    "uniform": ({"high": 3}, 1, {"low": 2, "high": 4}, 3),
    "normal": ({"loc": 5}, 5, {"loc": 5, "scale": 0.1}, 5),
    "laplace": ({"loc": 5}, 5, {"loc": 5, "scale": 0.1}, 5),
    "logistic": ({"loc": 5}, 5, {"loc": 5, "scale": 0.1}, 5),
    "triangular": ({"right": 4}, 1, {"left": 0, "mode": 0, "right": 3}, 1),
    "beta": ({"a": 1.5}, 0.75, {"a": 2, "b": 6}, 0.25),
}


def test_every_distribution_has_a_case():
    assert MOMENTS.keys() == OTHERS.keys() == latents.DISTRIBUTIONS.keys()


@pytest.mark.parametrize("dist", MOMENTS)
def test_distributions(dist):
    drawn = latents.draw(40_000, 2, dist=dist)
    mean, deviation = MOMENTS[dist]
    assert drawn.shape == (40_000, 2)
    assert drawn.dtype == np.float32
    assert np.allclose(drawn.mean(0), mean, atol=0.03)
    assert np.allclose(drawn.std(0), deviation, rtol=0.03)
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.03
    some, some_mean, all_, all_mean = OTHERS[dist]
    assert np.isclose(latents.draw(40_000, 1, dist=dist, params=json.dumps(some)).mean(), some_mean, atol=0.05)
    assert np.isclose(latents.draw(40_000, 1, dist=dist, params=json.dumps(all_)).mean(), all_mean, atol=0.05)


def test_every_distribution_of_numbers_that_numpy_has_can_be_drawn_from():
    parameters = {
        "binomial": {"n": 9, "p": 0.5},
        "chisquare": {"df": 3},
        "f": {"dfnum": 3, "dfden": 9},
        "gamma": {"shape": 2},
        "geometric": {"p": 0.5},
        "hypergeometric": {"ngood": 5, "nbad": 5, "nsample": 3},
        "integers": {"low": 0, "high": 9},
        "logseries": {"p": 0.5},
        "negative_binomial": {"n": 3, "p": 0.5},
        "noncentral_chisquare": {"df": 3, "nonc": 1},
        "noncentral_f": {"dfnum": 3, "dfden": 9, "nonc": 1},
        "pareto": {"a": 9},
        "power": {"a": 3},
        "standard_gamma": {"shape": 2},
        "standard_t": {"df": 9},
        "vonmises": {"mu": 0, "kappa": 1},
        "wald": {"mean": 1, "scale": 1},
        "weibull": {"a": 2},
        "zipf": {"a": 4},
    }
    known = {*latents.DISTRIBUTIONS, *latents.OTHERS}
    several = {"dirichlet", "multinomial", "multivariate_hypergeometric", "multivariate_normal"}
    others = {"bit_generator", "bytes", "choice", "permutation", "permuted", "shuffle", "spawn"}
    assert known == {name for name in dir(np.random.Generator) if not name.startswith("_")} - several - others
    for name in latents.OTHERS:
        values = parameters.get(name, {})
        drawn = latents.draw(50, 2, dist=name, params=json.dumps(values), seed=3)
        wanted = getattr(np.random.default_rng(3), name)(size=(50, 2), **values)
        np.testing.assert_array_equal(drawn, wanted.astype(np.float32))
    for name, params in (("poisson", '{"size": 3}'), ("gamma", ""), ("gamma", '{"shap": 3}'), ("zipf", '{"a": 0.5}')):
        with pytest.raises(UsageError, match=name):
            latents.draw(5, 2, dist=name, params=params)
    with pytest.raises(UsageError, match="beyond what float32 holds"):
        latents.draw(50, 2, dist="lognormal", params='{"mean": 200}')


def test_uniform_fills_its_range():
    drawn = latents.draw(10_000, 3, params='{"low": 2, "high": 4}')
    assert 2 <= drawn.min() < 2.01
    assert 3.99 < drawn.max() <= 4


def test_a_seed_gives_one_draw():
    assert np.array_equal(latents.draw(5, 3, seed=1), latents.draw(5, 3, seed=1))
    assert not np.array_equal(latents.draw(5, 3, seed=1), latents.draw(5, 3, seed=2))
    assert np.array_equal(latents.draw(5, 3, params=""), latents.draw(5, 3, params="{}"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"count": 0}, "at least 1 vector"),
        ({"dim": 0}, "at least 1 coordinate"),
        ({"seed": -1}, "A seed is 0 or more, not -1"),
        ({"dist": "gaussian"}, "No distribution named 'gaussian'; there are uniform, normal"),
        ({"dist": "unifrom"}, "Did you mean uniform?"),
        ({"params": "low=1"}, 'must be a JSON object such as {"low": -1.0, "high": 1.0}'),
        ({"params": "[1, 2]"}, "--dist-params of uniform are low, high"),
        ({"params": '{"lo": 1}'}, "--dist-params of uniform are low, high"),
        ({"params": '{"low": "a"}'}, "must be numbers"),
        ({"params": '{"low": NaN}'}, "must be numbers"),
        ({"params": '{"low": -Infinity}'}, "must be numbers"),
        ({"params": '{"low": -1e300}'}, "must be numbers below 1e+30"),
        ({"params": '{"low": 1' + "0" * 400 + "}"}, "must be numbers below 1e+30"),
        ({"params": '{"low": 2, "high": 1}'}, "uniform cannot have the parameters"),
        ({"dist": "normal", "params": '{"scale": -1}'}, "normal cannot have the parameters"),
        ({"dist": "beta", "params": '{"a": 0}'}, "beta cannot have the parameters"),
    ],
)
def test_what_cannot_be_drawn(arguments, told):
    with pytest.raises(CanaryganError) as caught:
        latents.draw(**{"count": 2, "dim": 3, **arguments})
    assert told in str(caught.value)


def test_files(tmp_path):
    z = latents.draw(4, 3)
    np.save(tmp_path / "z.npy", z)
    np.savez(tmp_path / "z.npz", z=z, x=np.zeros(4))
    np.save(tmp_path / "double.npy", np.asfortranarray(z.astype(float)))
    np.save(tmp_path / "whole.npy", np.eye(3, dtype=int))
    for name in ("z.npy", "z.npz", "double.npy"):
        read = latents.read(tmp_path / name, 3)
        assert np.array_equal(read, z)
        assert read.dtype == np.float32
        assert read.flags.c_contiguous
    assert np.array_equal(latents.read(tmp_path / "whole.npy", 3), np.eye(3))


class Trap:
    def __reduce__(self):
        return pytest.fail, ("ran code from a file",)


BAD = {
    "wrong width": (np.zeros((4, 2), np.float32), r"wants latents of shape \(n, 3\); .* holds \(4, 2\)"),
    "flat": (np.zeros(3, np.float32), r"wants latents of shape \(n, 3\)"),
    "none": (np.zeros((0, 3), np.float32), r"wants \(n, 3\) with n at least 1"),
    "nan": (np.array([[0, 0, 0], [0, np.nan, 0]]), "holds 1 vectors with NaN .* wants 3 finite numbers"),
    "infinite": (np.array([[0, np.inf, 0]]), "wants 3 finite numbers"),
    "too large": (np.array([[0, 1e300, 0]]), "wants 3 finite numbers"),
    "text": (np.array([["a", "b", "c"]]), "holds <U1 values; this checkpoint wants 3 numbers"),
    "complex": (np.zeros((2, 3), complex), "holds complex128 values"),
    "objects": (np.array([[Trap(), 1, 2]], dtype=object), r"of shape \(n, 3\)"),
}


@pytest.mark.parametrize("case", BAD)
def test_arrays_that_are_no_latents_are_refused_with_the_wanted_shape(tmp_path, case):
    array, told = BAD[case]
    np.save(tmp_path / "z.npy", array, allow_pickle=True)
    with pytest.raises(CanaryganError, match=told):
        latents.read(tmp_path / "z.npy", 3)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04broken", pickle.dumps(Trap()), b"\x93NUMPY\x01\x00"])
def test_files_that_hold_no_array_are_refused_with_the_wanted_shape(tmp_path, content):
    (tmp_path / "z.npy").write_bytes(content)
    with pytest.raises(CanaryganError, match=r"holds no latents: .*It should be a \.npy of shape \(n, 3\)"):
        latents.read(tmp_path / "z.npy", 3)


def test_missing_files_and_members(tmp_path):
    with pytest.raises(CanaryganError, match=r"no file of latents at .*`canarygan run sample -d 3` makes one"):
        latents.read(tmp_path / "nowhere.npy", 3)
    np.savez(tmp_path / "x.npz", x=np.zeros((4, 3)))
    for path in (tmp_path, tmp_path / "x.npz"):
        with pytest.raises(CanaryganError, match=r"holds no latents.*of shape \(n, 3\)"):
            latents.read(path, 3)


class Ciwgan:
    """A generator whose latents are a one-hot code of two coordinates and one uniform coordinate (Begus, 2021)."""

    latent_dim = 3

    def draw_latents(self, count, rng):
        codes = np.eye(2, dtype=np.float32)[rng.integers(0, 2, count)]
        return np.column_stack([codes, rng.uniform(-1, 1, count)]).astype(np.float32)


class Plain:
    latent_dim = 3


def test_a_generator_that_says_how_its_latents_are_drawn_is_asked():
    drawn = latents.draw_for(Ciwgan(), 200, seed=3)
    assert drawn.dtype == np.float32
    assert (drawn[:, :2].sum(1) == 1).all()
    assert np.array_equal(drawn, latents.draw_for(Ciwgan(), 200, seed=3))
    assert not np.array_equal(drawn, latents.draw_for(Ciwgan(), 200, seed=4))


def test_a_named_distribution_is_drawn_from_instead():
    drawn = latents.draw_for(Ciwgan(), 200, dist="normal", seed=3)
    assert np.array_equal(drawn, latents.draw(200, 3, dist="normal", seed=3))


def test_latents_of_a_generator_that_says_nothing_are_uniform():
    assert np.array_equal(latents.draw_for(Plain(), 9, seed=3), latents.draw(9, 3, seed=3))
    assert np.abs(latents.draw_for(Plain(), 9, params='{"low": -2, "high": 2}')).max() > 1


@pytest.mark.parametrize("wrong", [np.zeros((5, 2)), np.full((5, 3), np.nan), np.zeros(5)])
def test_a_generator_that_draws_no_latents_of_its_own_is_named_as_wrong(wrong):
    generator = Ciwgan()
    generator.draw_latents = lambda count, rng: wrong
    with pytest.raises(CanaryganError, match="its draw_latents is wrong"):
        latents.draw_for(generator, 5)


def test_no_latents_are_drawn_of_a_count_or_seed_that_cannot_be():
    for count, seed in ((0, 0), (5, -1)):
        with pytest.raises(UsageError, match="Draw at least 1 vector"):
            latents.draw_for(Ciwgan(), count, seed=seed)
