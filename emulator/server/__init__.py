"""The server process: HTTP, the application, the list of all APIs."""
