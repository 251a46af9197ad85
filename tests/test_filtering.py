"""What a listener hears of a sound: filtered once, by whatever way the sound comes in."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.signal
import soundfile

from canarygan_core import audio
from canarygan_core.audio import NOTHING, Filter, Hearing, archives, hear
from canarygan_core.audio.filtering import apply, find_content, remove_mean
from canarygan_core.audio.sounds import collect_sounds, read_clips
from canarygan_core.clips import Clips
from canarygan_core.datasets.folder import Folder
from canarygan_core.errors import CanaryganError
from canarygan_core.fitted import decoders, projectors
from canarygan_core.tasks.score import _read_batches

RATE = 16000
HUM = Filter(highpass=700.0)
BOTH = Filter(300.0, 6000.0)


def sounds(count=4, samples=4000, offset=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return (offset + 0.1 * rng.standard_normal((count, samples))).astype(np.float32)


def tone(frequency, seconds=0.5, rate=RATE):
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate, dtype=np.float32)[None]


def gain_of(frequency, filtering):
    """By how much a filter weakens a long tone, away from its ends, dB."""
    sound = tone(frequency)
    middle = apply(sound, RATE, filtering)[0, 2000:6000]
    return 20 * np.log10(max(np.sqrt(np.mean(middle.astype(float) ** 2)) * np.sqrt(2), 1e-12))


@pytest.mark.parametrize("frequency", [200, 500, 700, 1000, 3000, 5000, 7000])
@pytest.mark.parametrize("filtering", [HUM, Filter(lowpass=4000.0), BOTH])
def test_the_response_is_that_of_butterworth_of_order_5_twice(filtering, frequency):
    w = np.tan(np.pi * frequency / RATE)  # the bilinear transform
    expected = 0.0
    if filtering.highpass:
        expected -= 20 * np.log10(1 + (np.tan(np.pi * filtering.highpass / RATE) / w) ** 10)
    if filtering.lowpass:
        expected -= 20 * np.log10(1 + (w / np.tan(np.pi * filtering.lowpass / RATE)) ** 10)
    found = gain_of(frequency, replace(filtering, remove_mean=False))
    assert found == pytest.approx(expected, abs=0.05) or max(found, expected) < -60


def test_nothing_is_moved_in_time():
    impulse = np.zeros((1, 4001), np.float32)
    impulse[0, 2000] = 1
    impulse[0, [0, -1]] = 1e-6  # so that the zeros are no padding
    found = apply(impulse, RATE, Filter(highpass=700.0, remove_mean=False))[0]
    assert found.argmax() == 2000
    np.testing.assert_allclose(found[1000:3001], found[1000:3001][::-1], atol=1e-6)


def test_padding_stays_silent_and_changes_nothing():
    sound = sounds(2, 1500, offset=0.3)
    padded = np.pad(sound, ((0, 0), (200, 900)))
    for filtering in (Filter(), HUM, BOTH):
        found = apply(padded, RATE, filtering)
        assert not found[:, :200].any()
        assert not found[:, 1700:].any()
        np.testing.assert_array_equal(found[:, 200:1700], apply(sound, RATE, filtering))


def test_the_mean_goes_and_a_step_at_the_end_with_it():
    found = remove_mean(np.pad(sounds(3, 1000, offset=0.5), ((0, 0), (0, 500))))
    np.testing.assert_allclose(found[:, :1000].mean(1), 0, atol=1e-7)
    assert not found[:, 1000:].any()
    resampled = audio.convert(np.full((1, 4410), 0.5, np.float32), 44100, RATE, Filter())
    assert np.abs(resampled).max() < 1e-6, "an offset does not ring at the ends"


@pytest.mark.parametrize("samples", [1, 2, 10, 160])
@pytest.mark.parametrize("highpass", [1.0, 20.0, 700.0, 7900.0])
def test_the_shortest_sounds_and_any_cut_off_work(samples, highpass):
    found = apply(sounds(2, samples), RATE, Filter(highpass))
    assert found.shape == (2, samples)
    assert np.isfinite(found).all()


def test_silence_and_what_is_not_finite_stay_as_they_are():
    odd = sounds(4)
    odd[0], odd[1, 5], odd[2, 5] = 0, np.nan, np.inf
    for filtering in (Filter(), HUM):
        np.testing.assert_array_equal(apply(odd, RATE, filtering)[:3], odd[:3])


def test_content_is_found():
    assert find_content(np.array([1.0, 0, 2], np.float32)) == slice(0, 3)
    assert find_content(np.array([0.0, 0, 2, 0, 1, 0], np.float32)) == slice(2, 5)
    assert find_content(np.zeros(5, np.float32)) == slice(0, 0)
    assert find_content(np.zeros(0, np.float32)) == slice(0, 0)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"highpass": 0.0}, "--highpass is 0 Hz: it may be 1 to"),
        ({"lowpass": -5.0}, "--lowpass is -5 Hz: it may be 1 to"),
        ({"highpass": float("nan")}, "--highpass is nan Hz"),
        ({"highpass": 5000.0, "lowpass": 4000.0}, "--highpass 5000 Hz must be below --lowpass 4000 Hz"),
    ],
)
def test_cut_offs_that_make_no_sense_are_refused(options, reason):
    with pytest.raises(CanaryganError, match=reason):
        Filter(**options)


@pytest.mark.parametrize("name", ["highpass", "lowpass"])
def test_a_cut_off_beyond_what_the_rate_holds_is_refused(name):
    with pytest.raises(CanaryganError, match=f"--{name} is 8000 Hz, and sound at 16000 Hz reaches 8000 Hz"):
        Folder(**{name: 8000.0})
    Folder(**{name: 8000.0}, sampling_rate=22050)


def test_a_clip_is_heard_once():
    clips = Clips(sounds(offset=0.2), RATE)
    once = hear(clips, HUM)
    assert once.origin["filter"] == {"highpass": 700.0, "lowpass": None, "remove_mean": True}
    np.testing.assert_array_equal(once.audio, apply(clips.audio, RATE, HUM))
    assert hear(once, HUM) is once
    assert hear(once, Filter()) is once, "no mean is left"
    more = hear(once, Filter(700.0, 5000.0))
    np.testing.assert_array_equal(more.audio, apply(once.audio, RATE, Filter(None, 5000.0, False)))
    assert Filter.of(more.origin) == Filter(700.0, 5000.0)
    assert hear(clips, NOTHING) is clips


def test_a_low_pass_beyond_the_rate_of_the_clips_has_nothing_to_do():
    clips = Clips(sounds(), RATE)
    np.testing.assert_array_equal(hear(clips, Filter(None, 12000.0, False)).audio, clips.audio)
    with pytest.raises(CanaryganError, match="--highpass is 12000 Hz"):
        hear(clips, Filter(12000.0))


def test_what_cannot_be_put_back_is_said(caplog):
    clips = hear(Clips(sounds(), RATE), Filter(highpass=712.0))
    assert hear(clips, Filter()) is clips
    hear(clips, Filter())
    assert [record.message for record in caplog.records] == [
        "These clips are loaded with --highpass 712, and what listens to them has learnt from clips without it."
    ]


def test_a_record_that_is_no_filter_is_refused():
    assert Filter.of({}) == NOTHING, "nothing was taken out before there was a record of it"
    assert Filter.of(HUM.origin) == HUM
    with pytest.raises(CanaryganError, match="no record of a filter"):
        Filter.of({"filter": {"bandpass": 5}})


class Ear:
    """A fitted decoder or projector that keeps what it hears."""

    classes = ("a", "b")
    rate, seconds = RATE, 0.5

    def __init__(self):
        self.heard = []

    def posteriors(self, clips):
        self.heard.append(np.array(clips.audio))
        return np.full((len(clips), 2), 0.5, np.float32)

    def project(self, clips):
        self.heard.append(np.array(clips.audio))
        return np.zeros((len(clips), 2), np.float32)


@pytest.fixture
def ways(tmp_path, monkeypatch):
    """The same sounds as a folder of clips, and as an archive; some shorter than a clip, one longer."""
    monkeypatch.setenv("CANARYGAN_CACHE", str(tmp_path / "cache"))
    lengths = [3000, 8000, 9000]
    made = [
        sounds(1, length, 0.1, number)[0] + 0.2 * tone(60, length / RATE)[0] for number, length in enumerate(lengths)
    ]
    for number, sound in enumerate(made):
        path = tmp_path / "data" / "ab"[number % 2] / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, sound, RATE, subtype="FLOAT")
    with archives.writing(tmp_path / "x.npz", 10**5) as archive:
        archive.add("x", np.stack(made[1:2]))
        archive.add("rate", RATE)
    return tmp_path


@pytest.mark.parametrize("filtering", [NOTHING, Filter(), HUM, BOTH])
def test_every_way_in_is_filtered_once_and_alike(ways, filtering):
    """The golden test: a folder, files, an archive, a generator's batch, each heard by a decoder and a projector."""
    options = {"highpass": filtering.highpass, "lowpass": filtering.lowpass, "remove_mean": filtering.remove_mean}
    clips = Folder(data_dir=ways / "data", max_length=0.5, gain="none", **options).load()
    raw = Folder(data_dir=ways / "data", max_length=0.5, gain="none", remove_mean=False).load()
    assert Filter.of(clips.origin) == filtering
    order = np.argsort(clips.sources)
    files = sorted((ways / "data").rglob("*.wav"))
    expected = np.array(clips.audio)
    record = {"dataset": dict(clips.origin), "samples": clips.samples}
    decoder = decoders.TrainedDecoder("ear", Ear(), ("a", "b"), 0.0, (), ways, record)
    projector = projectors.SavedProjector("ear", Ear(), RATE, ways, record)
    assert decoder.filtering == projector.filtering == filtering
    for one, listen in ((decoder, decoder.posteriors), (projector, projector.project_batch)):
        listen(clips)
        ((_, from_files, _),) = read_clips(collect_sounds(files), one.hearing)
        listen(from_files)
        for heard in one.fitted.heard:
            np.testing.assert_array_equal(heard, expected[order])
        one.fitted.heard.clear()
        ((_, archived, _),) = read_clips(collect_sounds([ways / "x.npz"]), one.hearing)
        listen(archived)
        batch = raw.select(clips.sources == "b/1.wav")
        listen(Clips(np.array(batch.audio), RATE))  # as a generator gives it, which is not filtered yet
        for heard in one.fitted.heard:
            np.testing.assert_array_equal(heard, expected[clips.sources == "b/1.wav"])
        one.fitted.heard.clear()
        short = raw.select(clips.sources == "a/0.wav")
        listen(Clips(np.array(short.audio[:, :3000]), RATE))  # not padded yet
        np.testing.assert_array_equal(one.fitted.heard, expected[None, clips.sources == "a/0.wav"])
    (scored,) = _read_batches(collect_sounds([ways / "x.npz"]), Hearing.of(clips))
    np.testing.assert_array_equal(scored.audio, expected[clips.sources == "b/1.wav"])
    assert Filter.of(scored.origin) == filtering


def test_the_filter_is_that_of_scipy():
    sound = sounds(1)
    sections = scipy.signal.butter(5, 700, "highpass", fs=RATE, output="sos")
    theirs = scipy.signal.sosfiltfilt(sections, sound.astype(float), padlen=69)
    np.testing.assert_allclose(apply(sound, RATE, Filter(700.0, remove_mean=False)), theirs, atol=1e-7)
