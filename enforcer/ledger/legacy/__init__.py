"""Reading the legacy system's database, and importing its totals."""
