"""Made-up values in the place of real ones, that look like them: for corpora that a model is trained or tested on.

The same value becomes the same made-up one under a key, everywhere, and nobody can get it back. Nothing that comes out is
anybody's, as far as that can be had: phones are in ranges that are not given out, resident numbers of people who are born
after 2030, cards fail their check, mail and networks are those that are kept for examples and for tests. Names are built of
common syllables, so somebody is called like that.
"""

from sovguard.realistic.values import KEY_LENGTH, realistic

__all__ = ["KEY_LENGTH", "realistic"]
