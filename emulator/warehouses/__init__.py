"""SQL warehouses: their definition, their states by the clock, and the history of queries."""
