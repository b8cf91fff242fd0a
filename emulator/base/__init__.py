"""Building blocks of the state of all APIs: clock, ids, file contents, scheduler."""
