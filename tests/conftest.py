"""What every test runs under: one hypothesis profile, without deadlines, since no test here asserts a time."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("tallystick", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("tallystick")
