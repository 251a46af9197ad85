"""Text files made for tests, whatever their name says."""

from pathlib import Path


def put(path: Path, text: str = "text") -> Path:
    """Write a file, and the folders above it; gives its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
