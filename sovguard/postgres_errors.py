"""What an error of psycopg means for whoever runs the server, without its message, which may quote parameters."""

from __future__ import annotations

import psycopg
from psycopg_pool import PoolTimeout


def what_failed(error: Exception) -> str:
    """Return what failed, and what to look at."""
    if isinstance(error, PoolTimeout):
        return "no connection to the server could be had in time; look whether it runs and how many connections it allows"
    if isinstance(error, psycopg.errors.QueryCanceled):
        return "the server did not answer in time; look at what it waits for, or at how much it has to do"
    if isinstance(error, psycopg.errors.DiskFull):
        return "the server's disk is full; make room"
    if isinstance(error, psycopg.OperationalError):
        return "the server cannot be reached or gave up; look whether it runs, and at its log"
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return "the user may not do this; grant it the schema and its tables"
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return "the server is read-only; name the primary"
    return f"{type(error).__name__}; look at the server's log"
