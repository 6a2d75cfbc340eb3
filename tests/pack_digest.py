"""Prints the SHA-256 of the installed recognizer pack; ``.ci/run`` compares the checkout's with the wheel's."""

from __future__ import annotations

from sovguard.detect.packs import pack_digest

print(pack_digest())
