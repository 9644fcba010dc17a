"""What the product asks of the outside world: one small Protocol per file, no code that acts."""
