"""The exit statuses of all programs."""

from typing import Final

DONE: Final = 0
"""Everything was done."""
PARTLY_FAILED: Final = 1
"""The program ran, but something failed or remains to be done."""
BAD_INPUT: Final = 2
"""The input, the settings or the credentials cannot be used; nothing was done."""
