"""Building blocks for the state of all APIs: clock, ids, file contents, scheduler."""
