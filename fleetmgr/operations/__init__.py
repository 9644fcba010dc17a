"""The verbs, one short file each: they join pure steps and ports. No printing, no settings, no adapter."""
