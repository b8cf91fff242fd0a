"""Workbooks: turns the bytes of an XLSX or ODS file into a table of texts, as a CSV export of the sheet has them."""
