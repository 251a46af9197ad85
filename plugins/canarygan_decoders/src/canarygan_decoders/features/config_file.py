"""The YAML file of feature parameters, which lies beside prepared features and inside every trained decoder."""

import dataclasses
from pathlib import Path

from canarygan_core.errors import CanaryganError
from canarygan_core.runs.documents import read_yaml
from canarygan_decoders.features.options import Features

CONFIG = "decoder-dataset.config.yml"
"""The file's name."""


def read_config(path: Path) -> Features:
    """Parameters from a file; reading it runs no code.

    Raises:
        CanaryganError: where the file is missing, or holds no feature parameters.
    """
    try:
        record = read_yaml(path)
    except CanaryganError as error:
        reason = str(error).removeprefix(f"{path} ").rstrip(".")
        raise CanaryganError(f"{path} holds no feature parameters: {reason}.") from None
    if isinstance(record, dict):
        record = record.get("transform", record)
    if not isinstance(record, dict):
        raise CanaryganError(f"{path} holds no feature parameters, but a {type(record).__name__}.")
    return Features.from_record(record, path)


def write_config(path: Path, parameters: Features) -> None:
    """Write parameters to a file."""
    import yaml

    from canarygan_core.runs import files

    files.write_text(path, yaml.safe_dump({"transform": dataclasses.asdict(parameters)}, sort_keys=False))
