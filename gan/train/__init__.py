"""Training: one step, the trainer that advances by chunks, exact-resume state, health, and the worker that drives them on a run directory."""
