"""The YAML file of feature parameters, which lies beside prepared features and inside every trained decoder."""

import dataclasses
from pathlib import Path

from canarygan_core.errors import CanaryganError
from canarygan_decoders.features.options import Features

CONFIG = "decoder-dataset.config.yml"
"""The file's name."""


def read_config(path: Path) -> Features:
    """Parameters from a file; reading it runs no code.

    Raises:
        CanaryganError: where the file is missing, or holds no feature parameters.
    """
    import yaml

    try:
        record = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CanaryganError(f"Cannot read the feature parameters {path}: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CanaryganError(f"{path} holds no feature parameters: {str(error).splitlines()[0]}.") from None
    if not isinstance(record, dict):
        raise CanaryganError(f"{path} holds no feature parameters, but a {type(record).__name__}.")
    return Features.from_record(record.get("transform", record), path)


def write_config(path: Path, parameters: Features) -> None:
    """Write parameters to a file."""
    import yaml

    from canarygan_core.runs import files

    files.write_text(path, yaml.safe_dump({"transform": dataclasses.asdict(parameters)}, sort_keys=False))
