"""Running a rollout over clusters: the loop around the machine, and what the clusters remember of it."""
