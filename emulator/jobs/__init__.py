"""Jobs: their settings, and their runs on clusters, SQL warehouses and serverless compute."""
