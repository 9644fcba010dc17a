"""The outside world, one family per folder; families do not know each other and hold no product logic."""
