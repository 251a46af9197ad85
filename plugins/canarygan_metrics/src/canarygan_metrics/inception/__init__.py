"""The tasks `inception baseline` and `inception gan`, their file of scores and its figure. No formula is here."""
