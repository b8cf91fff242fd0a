"""The exit statuses of all programs."""

from typing import Final

DONE: Final = 0
"""Everything was done."""
PARTLY_FAILED: Final = 1
"""The program ran, but something failed or is left to do."""
BAD_INPUT: Final = 2
"""The input or the settings cannot be used, or there is no access; nothing was done."""
