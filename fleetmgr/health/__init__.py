"""Is a live object Healthy? Rules per kind, pure functions of the object."""
