"""The Kubernetes API: access, credentials, requests, watches. Never decides what an answer means."""
