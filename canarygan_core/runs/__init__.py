"""Runs: versions and their manifests, files that are whole or absent, and going on where a run stopped."""

from canarygan_core.runs.run import (
    INFER,
    Run,
    latest,
    manifest_of,
    of_task,
    opened,
    rank,
    versions,
)

__all__ = ["INFER", "Run", "latest", "manifest_of", "of_task", "opened", "rank", "versions"]
