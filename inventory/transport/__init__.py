"""HTTP requests to one workspace: connections, responses, retries, rate limits and worker pools."""
