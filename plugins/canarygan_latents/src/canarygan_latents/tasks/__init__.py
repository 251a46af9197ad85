"""The tasks, one file a verb; a function's signature is its command line. No algorithm lives here."""
