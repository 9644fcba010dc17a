"""The Git repository around fleet.yaml, through GitPython; the only place that knows Git."""
