"""Sounds from principal components, as a CanaryGAN model."""

from canarygan_core import Model, hookimpl

from canarygan_pca.component import PCA

__all__ = ["PCA"]


@hookimpl
def register_models() -> list[type[Model]]:
    return [PCA]
