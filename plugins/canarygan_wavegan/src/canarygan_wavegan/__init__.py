"""The WaveGAN as a CanaryGAN model."""

from canarygan_core import Model, hookimpl
from canarygan_wavegan.component import WaveGAN


@hookimpl
def register_models() -> list[type[Model]]:
    return [WaveGAN]
