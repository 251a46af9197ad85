"""Feature parameters as a YAML file, beside preprocessed features and inside a trained decoder."""

import dataclasses
from pathlib import Path

from canarygan_core.errors import CanaryganError, UsageError
from canarygan_decoders.features import Features

CONFIG = "decoder-dataset.config.yml"
"""The file's name."""


def contradictions(mine: Features, other: Features) -> list[str]:
    """Where parameters differ, such as `n-mfcc 13, not 20`."""
    return [
        f"{field.name.replace('_', '-')} {getattr(mine, field.name)}, not {getattr(other, field.name)}"
        for field in dataclasses.fields(Features)
        if getattr(mine, field.name) != getattr(other, field.name)
    ]


def read(path: Path) -> Features:
    """Parameters from a `decoder-dataset.config.yml`; the file is data and runs nothing.

    Raises:
        CanaryganError: where the file is missing or no such file.
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
    return Features.of(record.get("transform", record), path)


def write(path: Path, parameters: Features) -> None:
    """Write parameters as YAML."""
    import yaml

    from canarygan_core.runs import files

    files.write_text(path, yaml.safe_dump({"transform": dataclasses.asdict(parameters)}, sort_keys=False))


def refuse_unlike(mine: Features, path: Path) -> None:
    """Raise where a file of parameters says other than what a decoder was trained on.

    Raises:
        UsageError: naming every difference.
    """
    differences = contradictions(mine, read(path))
    if differences:
        raise UsageError(
            f"The decoder was trained on other features than -p {path} says: {'; '.join(differences)}. Leave out -p."
        )
