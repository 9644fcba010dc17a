"""Running kustomize: as its own process, on a private copy of what it may read, its output kept by content."""
