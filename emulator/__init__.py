"""A Databricks workspace on this machine, faithful enough to rehearse a term on.

How a request is answered, in four hops:

1. `app.Application` reads the request, lets due changes happen (`agenda`), tells who is calling and asks `faults`.
2. `routing.Router` finds the handler in the `routes` module of a service (`scim`, `clusters`, `objects`, …).
3. The handler reads and changes the service's part of `state.State` and returns what is to be the JSON answer.
4. What is refused is raised as an `errors.ApiError`, which knows its status and the shape of its body.

A service is a package of `models` (its state and rules) and `routes` (its HTTP); `services` lists them.
Nothing waits: what takes time in the real workspace is an entry of the agenda, due on the emulator's clock.
"""
