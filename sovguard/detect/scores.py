"""The numbers of the written rule by which ``judge`` decides."""

from __future__ import annotations

THRESHOLD = 0.5
"""What scores less is no detection."""
LABELLED = 0.9
"""Where the score of a value behind its own label begins."""
CONFIRMED = 0.03
"""What a context word adds beside a label."""
FALSE_FRIEND_COST = 0.45
"""What the label of a look-alike (주문번호, 운송장) costs."""
FOREIGN_COST = 0.2
"""What the label of another type costs."""
