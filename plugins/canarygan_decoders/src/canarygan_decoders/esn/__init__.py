"""The echo state network: options and fit (decoder.py), reservoir, readout. No feature and no task lives here."""

from canarygan_decoders.esn.decoder import ESN

__all__ = ["ESN"]
