"""One run on several processes: the team, and what each part of a batch has for itself."""
