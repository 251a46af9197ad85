"""Every reader of files: what makes a small file for it, what is done to that file, and what reads it.

A plugin that is not installed brings no readers.
"""

import importlib.util

from fuzz.readers.decoders import list_decoder_readers
from fuzz.readers.kernel import list_kernel_readers
from fuzz.readers.latents import list_latent_readers
from fuzz.readers.metrics import list_metric_readers
from fuzz.readers.reader import Reader
from fuzz.readers.recordings import list_recording_readers
from fuzz.readers.report import list_report_readers
from fuzz.readers.wavegan import list_wavegan_readers


def list_readers() -> list[Reader]:
    """All readers of what is installed."""
    found = list_kernel_readers()
    for plugin, listed in (
        ("canarygan_wavegan", list_wavegan_readers),
        ("canarygan_decoders", list_decoder_readers),
        ("canarygan_metrics", list_metric_readers),
        ("canarygan_report", list_report_readers),
        ("canarygan_recordings", list_recording_readers),
        ("canarygan_latents", list_latent_readers),
    ):
        found += listed() if importlib.util.find_spec(plugin) else []
    return found
