"""Which personal data may go where, and as what.

A policy is one TOML file (``loading``, ``rules``) over a catalogue of destinations; ``decide`` says what becomes of a
request under it.
"""

from sovguard.policy.decide import Judges
from sovguard.policy.decision import Decision, Request
from sovguard.policy.destinations import Catalogue, Destination, Fact, shipped
from sovguard.policy.loading import load, parse
from sovguard.policy.rules import PROFILES, Action, Policy, Rule, Target

__all__ = [
    "PROFILES",
    "Action",
    "Catalogue",
    "Decision",
    "Destination",
    "Fact",
    "Judges",
    "Policy",
    "Request",
    "Rule",
    "Target",
    "load",
    "parse",
    "shipped",
]
