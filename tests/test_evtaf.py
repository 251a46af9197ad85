"""Recordings of evTAF: rate and channels stand in a file beside the samples."""

import numpy as np
import pytest

from canarygan_core import audio
from canarygan_core.audio import evtaf
from canarygan_core.errors import CanaryganError

REC = "File created: Fri, Mar 23, 2012\n\nADFREQ =   32000\nChans = 2\nSamples = 4\n"


def put(folder, samples, rec=REC):
    path = folder / "bird.cbin"
    np.asarray(samples, ">i2").tofile(path)
    if rec:
        path.with_suffix(".rec").write_text(rec)
    return path


def test_samples_are_big_endian_and_channels_alternate(tmp_path):
    path = put(tmp_path, [[1, -2], [256, 3], [-32768, 32767]])
    with audio.open_recording(path) as sound:
        assert (sound.samplerate, sound.channels, sound.frames) == (32000, 2, 3)
        assert (sound.read(dtype="int16") == [[1, -2], [256, 3], [-32768, 32767]]).all()


def test_a_file_of_another_kind_needs_no_description(tmp_path):
    assert evtaf.describe(tmp_path / "a.wav") == {}


@pytest.mark.parametrize(
    ("rec", "told"),
    [
        ("", r"no bird\.rec beside it"),
        ("Chans = 2\n", "ADFREQ = and Chans ="),
        ("ADFREQ = 0\nChans = 1\n", "ADFREQ = and Chans ="),
    ],
)
def test_what_does_not_tell_its_rate_says_what_is_missing(tmp_path, rec, told):
    path = put(tmp_path, [[1, 2]], rec)
    with pytest.raises(CanaryganError, match=told), audio.open_recording(path):
        pass
