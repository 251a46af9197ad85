"""The command line: components are chosen, the parser is built, values are bound, a task is run. No task lives here."""
