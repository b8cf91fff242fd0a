"""Scans with the executors of a Spark server; queue and checkpoint stay on this machine.

`start` opens a session with the selected server and runs a scan there; `driver` hands the folders of a `work_queue` to
tasks of a few seconds each, which share the permitted request rate through `rate_share`. A task runs `worker`, for
which `session` sends the modules; `serialization` encodes its rows. `address` selects the server, `errors` translates
exceptions.
"""
