"""Pydantic models of fleet.yaml and overlays, and the guarded loader: the only validation of user input."""
