"""Bugs planted in components, one module a kind, for `test_planted`."""
