"""Has the executors of a Spark server list the folders of a scan; what is to be done and what is done stays here.

`start` opens a session with the server that was asked for and runs a scan there; `driver` deals the folders that
remain, in a `work_queue`, to tasks of a few seconds each, which share the requests a second that `rate_share` has. A
task is `worker`, which finds nothing of ours on its executor but what `session` sends; its rows travel as
`serialization` writes them. `address` says which server, `errors` puts into words what went wrong.
"""
