"""The names of the formats of annotations, as crowsetta has them, apart from what reads and writes them."""

from canarygan_core.errors import UsageError, did_you_mean

READ = (
    *("aud-bbox", "aud-seq", "birdsong-recognition-dataset", "generic-seq", "notmat"),
    *("raven", "simple-seq", "textgrid", "timit", "yarden"),
)
"""Those that are read."""

WRITTEN = ("generic-seq", "aud-seq", "aud-bbox", "notmat", "raven", "simple-seq", "textgrid", "timit")
"""Those that are written; a TextGrid is written here, the others by crowsetta."""


def check_format(name: str) -> None:
    """Raise `UsageError` where a format has no such name."""
    if name and name not in READ:
        raise UsageError(f"No format named {name!r}; there are {', '.join(READ)}.{did_you_mean(name, READ)}")
