"""The embedded engine: reads one cluster through its client, lets ``engine`` decide, writes, waits. No state file."""
