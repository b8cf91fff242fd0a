"""The frame around all APIs: the process, HTTP, routing, errors, faults, the log of requests."""
