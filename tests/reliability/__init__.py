"""Stress tests of runs and servers, as commands that take long; the suite has a short version of each."""
