"""Artifacts + Targets -> Stacks of Resources: scalar rules, overlays, variables, canonical form. Pure."""
