"""What was sent where, under which rule, and never a value: a log that can only grow, and whose every change shows.

::

    Ledger.append ─▶ records (canonical lines) ─▶ files or postgres, one log for each process
                 └─▶ tree (RFC 6962) ─▶ signing (checkpoints) ─▶ merged (one note that fixes all logs)
    verify, prove and check need nothing but the public verifier string.

``create_ledger`` makes one, ``open_ledger`` opens it for writing. The written format is in docs/ledger-format.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sovguard.ledger.ledger import Ledger, create_ledger, open_ledger
    from sovguard.ledger.proofs import check, prove
    from sovguard.ledger.reading import read_records
    from sovguard.ledger.signing import LedgerKey
    from sovguard.ledger.verification import Problem, Verification, verify

# Imported where they are used: they need the cryptography package, which a Guard without a ledger does not.
_LATER = {
    **dict.fromkeys(("Ledger", "create_ledger", "open_ledger"), "ledger"),
    **dict.fromkeys(("Problem", "Verification", "verify"), "verification"),
    **dict.fromkeys(("check", "prove"), "proofs"),
    "LedgerKey": "signing",
    "read_records": "reading",
}

__all__ = [
    "Ledger",
    "LedgerKey",
    "Problem",
    "Verification",
    "check",
    "create_ledger",
    "open_ledger",
    "prove",
    "read_records",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
