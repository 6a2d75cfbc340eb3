from __future__ import annotations

from tests.policy.places import own_catalogue

__all__ = ["own_catalogue"]
