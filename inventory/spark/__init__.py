"""Folders are listed by the executors of a Spark server; what is to be done and what is done stays here.

`driver` deals the folders that remain to tasks of a few seconds each, which share the requests a second that `budget`
has; a task is `worker`, which finds nothing of ours on its executor; its rows travel as `wire` writes them. `address`
says which server, `session` opens it, `trouble` puts into words what went wrong.
"""
