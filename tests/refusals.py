"""What is said of what cannot be done."""

from collections.abc import Callable
from typing import Any

import pytest

from canarygan_core import CanaryganError


def told(work: Callable[..., Any], *arguments: Any, error: type[BaseException] = CanaryganError, **options: Any) -> str:
    """The message of the error that work ends with."""
    with pytest.raises(error) as raised:
        work(*arguments, **options)
    return str(raised.value)
