"""What morph, grid and select refuse: each is told, and leaves nothing."""

from pathlib import Path

import pytest

from canarygan_core.cli import main

FROM_TO = ["--from", "0,0,0", "--to", "0.9,0,0"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["morph", "Y"], "A bridge has two ends: --from was given 0 and --to 0 times"),
        (["morph", *FROM_TO, "-n", "1"], "--n-steps is 1: a bridge has 2 to 200"),
        (["morph", *FROM_TO, "--from", "1,0,0"], "--from was given 2 and --to 1 times. Give as many of both"),
        (["morph", "--from", "0,0", "--to", "0.9,0,0"], "0,0: this checkpoint wants 3 finite numbers"),
        (["morph", "--from", "0,0,nan", "--to", "0.9,0,0"], "wants 3 finite numbers"),
        (["morph", "--from", "low", "--to", "0.9,0,0"], "'low' names no latent: give 3 numbers"),
        (
            ["morph", "Y", "--from", "lo", "--to", "0,0,0"],
            "know no class 'lo'; they know high, low, mid. Did you mean low?",
        ),
        (["morph", "--from", "0,0,0", "--to", "0,0,0.0"], "are one latent: a bridge has two ends"),
        (["morph", "--from", "none.npy:3", "--to", "0,0,0"], "There is no file of latents at none.npy"),
        (["morph", *FROM_TO, "--pairs", "pairs.csv"], "one of the two"),
        (["morph", "--pairs", "none.csv"], "Cannot read none.csv"),
        (["morph", *FROM_TO, "-m", "none"], "none"),
        (["morph", *FROM_TO, "--real", "3"], "take both: a dataset, by -d, and how many, by --real"),
        (["morph", *FROM_TO, "--level", "-0.1"], "--level -0.1: the peak of bridge_1-step_"),
        (["morph", *FROM_TO, "--seed", "-1"], "--seed is -1"),
        (["grid", "-n", "200"], "8,000,000: 10,000 is the most"),
        (["grid", "--at", "0,0,0"], "all of them vary"),
        (["grid", "--axis", "7"], "--axis 7: give each of 1 to 3"),
        (["select", "Y", "--label", "midd"], "know no class 'midd'; they know high, low, mid. Did you mean mid?"),
        (["select", "Y", "--label", "low", "--posterior", "1.5"], "--posterior is 1.5"),
        (["select", "Y", "--label", "low", "--posterior", "1", "--tries", "300"], "300 latents brought 0 of 50"),
        (["select", "Y", "--label", "low", "-n", "0"], "--n-renditions is 0"),
        (["select", "Y", "--label", "low", "--tries", "0"], "--tries is 0"),
        (["select", "Y", "--label", "low", "--apart", "2"], "--apart is 2"),
    ],
)
def test_what_cannot_be_done_is_told_and_leaves_nothing(tones, tmp_path, monkeypatch, capsys, words, told):
    model, decoder = tones
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    spelt = [word for one in words for word in (decoder if one == "Y" else [one])]
    assert main.main([spelt[0], *model, *spelt[1:]]) in (1, 2)
    assert told in " ".join(capsys.readouterr().err.split())
    assert list(Path().iterdir()) == []
