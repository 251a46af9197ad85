"""The tasks, one file each, and the search that one of them runs. No feature and no decoder is defined here."""
