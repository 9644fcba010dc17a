"""What the embedded engine knows: compare, ownership, prune set, order. Pure; tested without a cluster."""
