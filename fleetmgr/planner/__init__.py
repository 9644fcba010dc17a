"""Cluster plans -> the Plan of the fleet: totals, identical changes, id. Pure."""
