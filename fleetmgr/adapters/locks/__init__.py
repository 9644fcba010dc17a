"""Locks between processes of one machine. Nothing here knows what a lock protects."""
