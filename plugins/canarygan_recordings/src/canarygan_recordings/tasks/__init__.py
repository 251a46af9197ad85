"""The tasks, one file a verb."""
