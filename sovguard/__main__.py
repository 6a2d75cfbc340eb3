"""Lets ``python -m sovguard`` run the command line."""

from sovguard.cli import main

main()
