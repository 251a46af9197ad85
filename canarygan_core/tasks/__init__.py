"""One file a verb; a function's signature is its command line."""
