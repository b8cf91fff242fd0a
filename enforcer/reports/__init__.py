"""The report of a day, and how it looks as mail, table and chart."""
