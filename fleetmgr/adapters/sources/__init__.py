"""Fetching sources: the working tree or a commit, scanned for links that leave the tree before anything is read."""
