"""Prints the SHA-256 of the installed recognizer pack; ``.ci/run`` compares the checkout's with the wheel's."""

from __future__ import annotations

import hashlib
from importlib import resources

digest = hashlib.sha256()
for item in sorted(resources.files("sovguard.recognizers").iterdir(), key=lambda entry: entry.name):
    if item.name.endswith((".toml", ".txt", ".npz")):
        digest.update(item.name.encode())
        digest.update(item.read_bytes())
print(digest.hexdigest())
