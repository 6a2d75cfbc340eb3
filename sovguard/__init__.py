"""Use any language model without giving away who you talk about.

Personal information in Korean (and mixed) text is swapped for reversible surrogates before a model sees it,
and put back into the answer::

    your text ──▶ scan ──▶ redact ──▶ "PERSON-K7QM001R의 번호는 PHONE-K7QM002V" ──▶ the model
                              │ values                                                │
                              ▼                                                       ▼
                            vault ─────────────────▶ restore ◀─────── its answer, with surrogates
                                                        │
                                                        ▼
                                              the answer, with real values

``Guard`` holds the settings, ``Guard.session`` is one conversation; ``scan``, ``redact``, ``restore`` and
``protect`` are the same on a default ``Guard``.
"""

from __future__ import annotations

from sovguard.entities import Detection, Evidence
from sovguard.errors import (
    ConfigError,
    DetectionError,
    ForeignSurrogate,
    InputError,
    InvalidRecord,
    LedgerError,
    PatternTimeout,
    PolicyBlocked,
    RecognizerDefinitionError,
    SovguardError,
    UnsupportedPayload,
    VaultError,
)
from sovguard.guard import Guard
from sovguard.redaction import Redaction
from sovguard.restore.text import Restoration
from sovguard.session import Session

_default = Guard()
scan = _default.scan
redact = _default.redact
restore = _default.restore
protect = _default.protect

__all__ = [
    "ConfigError",
    "Detection",
    "DetectionError",
    "Evidence",
    "ForeignSurrogate",
    "Guard",
    "InputError",
    "InvalidRecord",
    "LedgerError",
    "PatternTimeout",
    "PolicyBlocked",
    "RecognizerDefinitionError",
    "Redaction",
    "Restoration",
    "Session",
    "SovguardError",
    "UnsupportedPayload",
    "VaultError",
    "protect",
    "redact",
    "restore",
    "scan",
]
