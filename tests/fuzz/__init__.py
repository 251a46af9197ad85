"""Damaged files at every reader: none may raise anything but `CanaryganError`, take 10 s or a gigabyte."""
