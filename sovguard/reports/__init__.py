"""Reports that people read, from the ledger of what was sent where.

::

    records ─▶ reading ─▶ summary (tallies, notices) ─▶ rows ─▶ html (words, flow, plots, markup)
                     └──▶ dependence

``summarize`` counts in one pass, ``render`` draws a page that needs nothing but itself, and ``dependence`` answers whether one
can leave a vendor. Nothing here opens the ledger, and nothing in a record is trusted: all of it is text to be escaped.
"""

from sovguard.reports.dependence import Dependence, dependence
from sovguard.reports.html import render
from sovguard.reports.rows import Summary
from sovguard.reports.summary import summarize, to_json

__all__ = ["Dependence", "Summary", "dependence", "render", "summarize", "to_json"]
