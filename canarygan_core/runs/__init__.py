"""Runs: versions, their manifests and checkpoints, and files that are whole or absent. Nothing here knows a sound."""

from canarygan_core.runs.distributions import collect_versions as collect_versions
from canarygan_core.runs.manifest import Manifest as Manifest
from canarygan_core.runs.processes import get_rank as get_rank
from canarygan_core.runs.request import Request as Request
from canarygan_core.runs.run import Run as Run
from canarygan_core.runs.verification import check_recorded as check_recorded
from canarygan_core.runs.versions import INFER as INFER
from canarygan_core.runs.versions import find as find
from canarygan_core.runs.versions import find_by_checkpoint as find_by_checkpoint
from canarygan_core.runs.versions import find_checkpoint as find_checkpoint
from canarygan_core.runs.versions import find_to_resume as find_to_resume
from canarygan_core.runs.versions import list_versions as list_versions
from canarygan_core.runs.versions import name_version as name_version
from canarygan_core.runs.versions import open_run as open_run
