"""A Databricks workspace on this machine, close enough to the real one to rehearse a term.

How a request is answered:

1. `server.app.Application` reads the request, runs due tasks (`base.scheduler`), applies `faults` and authenticates.
2. `api.routing.Router` finds the handler in the `routes` module of an API (`scim`, `clusters`, `objects`, …).
3. The handler reads and changes the API's part of `state.state.WorkspaceState` and returns the JSON response.
4. Errors are raised as `api.errors.ApiError`, which has the status and the format of the body.

Each API is a folder: `routes` has its HTTP handlers, `seed` fills a new workspace, and its data is in the module with
the same name in `models`. `server.services` lists all APIs. Nothing sleeps: whatever takes time in the real workspace
is a scheduled task that becomes due by the emulator's clock.

Layers, top first. A folder imports only from folders below it:

- `__main__`: the command line
- `server`: the process, HTTP, the application and the list of all APIs
- `control`: `/_emulator/`: clock, faults, drift, actual uptime
- `faults`: which requests get a fault, and the named fault profiles
- APIs: `clusters` uses `libraries`, `policies` and `settings`; `jobs` uses `clusters`, `policies` and `warehouses`;
  `account` uses `scim`; `repos` and `scim` use `objects`; `volumes` uses `dbfs`, which uses `settings`, and `grants`;
  `unity_catalog` uses `grants`; `statements` uses `grants`, `unity_catalog` and `warehouses`; every API may use
  `permissions`
- `api`: shared by all APIs: requests, routes, errors
- `state`: the whole workspace: the state of all APIs, its clock and options, its file
- `models`: the contents of a workspace as plain data
- `reference`: platform constants: node types, runtimes, policy families
- `base`: clock, ids, file contents, scheduler
- `generated_files`: homes whose files are computed on access
- `notebook_formats`: notebook and archive formats
"""
