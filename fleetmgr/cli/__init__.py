"""One click command per file: read arguments, call one operation, print, choose the exit code."""
