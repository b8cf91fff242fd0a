"""Summarises folder rows by user, for results, reports and differences. Pure: no I/O."""
