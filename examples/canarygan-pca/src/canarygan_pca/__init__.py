"""A CanaryGAN model that makes sounds from principal components."""

from canarygan_core import Model, hookimpl

from canarygan_pca.component import PCA

__all__ = ["PCA"]


@hookimpl
def register_models() -> list[type[Model]]:
    return [PCA]
