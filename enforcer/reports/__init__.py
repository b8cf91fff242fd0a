"""The report of a day as data, mail, table and chart."""
