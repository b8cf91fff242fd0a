"""What all APIs share: requests and their bodies, routes, errors, the request log."""
