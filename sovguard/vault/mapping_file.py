"""One session's mapping in a sealed file, so that ``restore`` can run in another process than ``redact``.

An interim until the durable vaults: the whole session is read into memory and written at once. The file is made with
mode 0600 and never replaced unless asked.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from sovguard.errors import ConfigError, InvalidRecord
from sovguard.vault.crypto import seal, unseal
from sovguard.vault.memory import MemoryVault
from sovguard.vault.store import SessionRef


def write_mapping(
    path: Path, vault: MemoryVault, session: SessionRef, passphrase: str, *, replace: bool = False
) -> None:
    """Writes the mapping of ``session`` to ``path``, sealed under ``passphrase``.

    Raises:
        ConfigError: The file exists and ``replace`` is false, or the passphrase is empty.
    """
    if not passphrase:
        raise ConfigError("the passphrase of a mapping file must not be empty")
    if path.exists() and not replace:
        raise ConfigError(f"{path} exists; name another file or pass --force to replace it")
    plain = json.dumps({"tenant": session.tenant, "session": session.session_id, **vault.dump(session)})
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(seal(plain.encode("utf-8", "surrogatepass"), passphrase))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_mapping(path: Path, passphrase: str) -> tuple[MemoryVault, SessionRef]:
    """Returns a vault that holds the session of the file, and which session that is.

    Raises:
        ConfigError: The file cannot be read.
        InvalidRecord: The passphrase is wrong, or the file was changed.
    """
    try:
        sealed = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"mapping file {path} cannot be read: {error.strerror}") from error
    plain = unseal(sealed, passphrase).decode("utf-8", "surrogatepass")
    try:
        content = json.loads(plain)
        session = SessionRef(content.pop("tenant"), content.pop("session"))
        vault = MemoryVault()
        vault.load(session, content)
    except (ValueError, KeyError, TypeError):
        raise InvalidRecord("the mapping file was written by another version of sovguard") from None
    return vault, session
