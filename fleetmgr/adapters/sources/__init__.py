"""Fetching sources: the working tree or a commit, scanned for links that leave it before it is read."""
