"""Forms of a trained generator that leave the run directory."""
