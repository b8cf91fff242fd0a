"""The process that serves the workspace: HTTP, the application, all APIs put together."""
