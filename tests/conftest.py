"""What holds for every test: no test measures time, hypothesis's examples included."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
