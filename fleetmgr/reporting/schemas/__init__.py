"""JSON Schemas of what is printed, a module for each family of outputs."""
