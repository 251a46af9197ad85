"""Features of clips: options, computation and their file. Sizes of transforms live here, and nothing about decoders."""

from canarygan_decoders.features.options import Features

__all__ = ["Features"]
