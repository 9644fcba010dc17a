"""Rules for the kinds that Kubernetes itself serves; one family of kinds a module, each with its ``RULES``."""
