"""The frozen data that flows from step to step. No I/O, no decisions, no knowledge of any step."""
