"""The way in for the Pulumi CLI: ``main`` of Pulumi.yaml points at this folder. No other code belongs here."""
