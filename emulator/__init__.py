"""A Databricks workspace on this machine, faithful enough to rehearse a term on.

How a request is answered:

1. `server.app.Application` reads the request, lets due changes happen (`base.scheduler`), asks `faults` and who calls.
2. `api.routing.Router` finds the handler in the `routes` module of an API (`scim`, `clusters`, `objects`, …).
3. The handler reads and changes the API's part of `state.state.State` and returns the JSON answer.
4. A refusal is raised as an `api.errors.ApiError`, which has the status and the shape of the body.

An API is a folder: `routes` is its HTTP, `seed` what it puts into a new workspace; its data is the module of the same
name in `models`. `server.services` lists them all. Nothing waits: what takes time in the real workspace is an entry of
the scheduler, due on the emulator's clock.

Layers, top first. A folder imports only from those after it:

- `__main__`: the command line
- `server`: the process, HTTP, the application, all APIs put together
- `control`: `/_emulator/`: clock, faults, drift, what really happened
- `faults`: which request meets a fault, and the named profiles of faults
- APIs: `clusters` uses `libraries`, `policies` and `settings`; `repos` and `scim` use `objects`; `volumes` uses `dbfs`,
  which uses `settings`; every API may use `permissions`
- `api`: what every API is written with: requests, routes, refusals
- `state`: the workspace as a whole: the state of all APIs, its clock and options, its file
- `models`: what a workspace holds, as plain data
- `reference`: what the platform offers to every workspace: node types, runtimes, policy families
- `base`: instants, ids, contents, what happens later
- `generated_files`: homes whose files are computed when somebody looks
- `notebook_formats`: the formats of notebooks and archives
"""
