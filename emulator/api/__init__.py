"""What every API is written with: requests and their bodies, routes, refusals, the log of requests."""
