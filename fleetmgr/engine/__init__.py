"""What the embedded engine knows: compare, ownership, prune set, order, inventory. Pure; tested without a cluster."""
