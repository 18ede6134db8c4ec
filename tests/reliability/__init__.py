"""What must not happen however long a server runs: commands that run for minutes, each with a short version among the tests."""
