"""Bytes that flip on a disk, and what `verify` says of them."""

import json
import os
import zlib

from canarygan_core.cli import main


def flip(path, at=None):
    """Flip one bit of a file, at a place or somewhere by its name; gives what restores it."""
    content, before = path.read_bytes(), path.stat()
    at = (zlib.crc32(path.name.encode()) if at is None else at) % len(content)
    replace(path, content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as a disk that lost it

    def restore():
        replace(path, content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    return restore


def replace(path, content):
    path.with_name("new").write_bytes(content)  # another file, as a copy is
    os.replace(path.with_name("new"), path)


def tell(capsys, *paths):
    """What `verify` says, line by line, and its exit code."""
    capsys.readouterr()
    code = main.main(["verify", *map(str, paths), "--json"])
    return json.loads(capsys.readouterr().out)["faults"], code
