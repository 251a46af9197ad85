"""A disk that fills up while features are computed ends a command with a message, and not the process."""

import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canarygan_decoders.dataset.decoder_dataset import prepare_dataset
from canarygan_decoders.features import Features

from canarygan_core.errors import CanaryganError
from canarygan_core.testing import toy_clips


def test_a_folder_of_temporary_files_that_fills_up_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(stream: Any, header: Any) -> None:
        stream.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(np.lib.format, "write_array_header_2_0", fill)
    preparation = prepare_dataset(toy_clips(12, classes=2), Features(), share=0.2, copies=0, seed=0)
    told = rf"Cannot write {tmp_path}/.*train\.npy: No space left on device"
    with pytest.raises(CanaryganError, match=told), preparation:
        pytest.fail("went on")
    assert list(tmp_path.iterdir()) == []
