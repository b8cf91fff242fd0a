"""The report for a day as data, email, table and chart."""
