"""The command line: components are chosen, the parser is built, values are bound, the task is run."""
