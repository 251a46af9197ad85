"""For the tests of plugins: the contract of components, fixtures, toy clips. The rest of the kernel uses none of it."""

from canarygan_core.testing.component import HEAVY, check_cheap_import, check_component
from canarygan_core.testing.toys import toy_clips

__all__ = ["HEAVY", "check_cheap_import", "check_component", "toy_clips"]
