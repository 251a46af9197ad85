"""The built-in datasets, each from a file of its own to `Clips`. Nothing here trains or scores."""
