"""Is the doctor right? Runs that fail and runs that do not, an oracle that judges them, and a report."""
