from __future__ import annotations

from types import ModuleType

import sovguard
import sovguard.errors


def test_everything_public_is_exported() -> None:
    """``__all__`` is the sorted list of all public names, and of nothing else."""
    public = sorted(
        name
        for name, value in vars(sovguard).items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name != "annotations"
    )
    assert sorted(sovguard.__all__) == public


def test_every_error_is_exported() -> None:
    """Whatever the package raises can be caught without knowing where it is defined."""
    errors = {name for name, value in vars(sovguard.errors).items() if isinstance(value, type)}
    assert errors <= set(sovguard.__all__)


def test_module_functions_share_one_guard() -> None:
    """redact, restore and scan work on one default Guard, so that what one covers another restores."""
    assert sovguard.redact.__self__ is sovguard.restore.__self__ is sovguard.scan.__self__
    assert sovguard.redact.__self__ is sovguard.protect.__self__
