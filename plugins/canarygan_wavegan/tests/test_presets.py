"""What the presets set."""

from canarygan_wavegan.component import WaveGAN

from canarygan_core.datasets.folder import Folder


def test_paper_is_large_with_the_clips_as_the_authors_had_them() -> None:
    assert WaveGAN.presets["paper"] == WaveGAN.presets["large"]
    assert WaveGAN.preset_data.keys() == {"paper", "original"}
    clips = Folder(**WaveGAN.preset_data["paper"])
    assert (clips.gain, clips.highpass) == ("set", 700)
    assert Folder().gain == "clip", "what the other presets take"


def test_without_a_preset_the_options_are_those_of_large() -> None:
    defaults = WaveGAN()
    for key, value in WaveGAN.presets["large"].items():
        if hasattr(defaults, key.replace("-", "_")):
            assert getattr(defaults, key.replace("-", "_")) == value, key
