"""Fleet -> Targets: selectors x clusters x apps with every layer folded in. Pure, sorted, no I/O."""
