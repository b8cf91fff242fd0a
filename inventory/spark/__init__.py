"""Scans with the executors of a Spark server; queue and checkpoint stay on this machine.

`start` opens a session with the selected server and runs a scan there; `driver` distributes the folders in a
`work_queue` to tasks of a few seconds each, which share the permitted request rate through `rate_share`. A task runs
`worker`, whose modules `session` sends; `serialization` encodes its rows. `address` selects the server, `errors`
translates exceptions.
"""
