"""Everything sovguard raises, in one tree.

::

    SovguardError
    ├── InputError                     what was passed in cannot be worked on (bytes, a wrong type)
    ├── ConfigError                    settings or files that do not parse; never replaced by a default
    │   └── RecognizerDefinitionError  a recognizer pack file is wrong
    ├── DetectionError                 detection could not finish, so nothing may be sent
    │   └── PatternTimeout             a pattern of a third-party pack took too long
    ├── VaultError                     the vault could not store or read
    │   └── InvalidRecord              anything at all wrong with a stored record
    ├── LedgerError                    the ledger could not write, or what it holds is not what was written
    ├── PolicyBlocked                  the policy does not let a request go where it was to go
    ├── ForeignSurrogate               arguments of a tool call hold a surrogate of another session
    └── UnsupportedPayload             a request or answer whose text sovguard cannot find; it was not sent

A message says what failed and what to do next, and never holds a value from the text.
"""

from __future__ import annotations


class SovguardError(Exception):
    """The root: ``except SovguardError`` catches everything this package raises."""


class InputError(SovguardError, TypeError):
    """What was passed in cannot be worked on."""


class ConfigError(SovguardError, ValueError):
    """A setting or a file of settings is wrong; nothing is replaced by a default."""


class RecognizerDefinitionError(ConfigError):
    """A recognizer definition is wrong; names the file and the field."""


class DetectionError(SovguardError):
    """Detection could not finish; treat the text as not inspected and do not send it."""


class PatternTimeout(DetectionError):
    """A pattern of a third-party recognizer took longer than its time limit."""


class VaultError(SovguardError):
    """The vault could not store or read; nothing was sent and nothing was lost."""


class InvalidRecord(VaultError):
    """The single answer to anything wrong with a stored record."""


class LedgerError(SovguardError):
    """The ledger could not write or read, or was changed; what was to be recorded must not be sent."""


class PolicyBlocked(SovguardError):
    """The policy does not let a request go where it was to go; nothing was sent.

    Attributes:
        decision: What the policy said (``sovguard.policy.Decision``), if it was asked.
    """

    def __init__(self, message: str, decision: object = None) -> None:
        super().__init__(message)
        self.decision = decision


class ForeignSurrogate(SovguardError):
    """Arguments of a tool call that may hold real values hold a surrogate of another session; the tool must not run."""


class UnsupportedPayload(SovguardError):
    """A request or answer whose text cannot be found for certain; it was not sent."""
