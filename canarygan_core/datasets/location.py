"""Where the cache lies, found without any heavy library."""

import os
from pathlib import Path

import platformdirs


def find_folder() -> Path:
    """The cache's folder: CANARYGAN_CACHE, or `canarygan` in the user's folder of caches. It may be deleted."""
    if chosen := os.environ.get("CANARYGAN_CACHE"):
        return Path(chosen).expanduser().resolve()
    return platformdirs.user_cache_path("canarygan", appauthor=False).expanduser().resolve()
