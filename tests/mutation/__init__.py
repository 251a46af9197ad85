"""Mutation testing: how many faults the tests notice, by mutmut."""
