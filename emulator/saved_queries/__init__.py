"""Saved queries of SQL and alerts on them, as records: nothing runs them by schedule."""
