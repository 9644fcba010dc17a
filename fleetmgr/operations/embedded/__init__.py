"""The embedded engine: reads a cluster, lets ``engine`` decide, writes, waits. No state file."""
