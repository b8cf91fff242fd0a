"""Counts what is in every user's home, in DBFS and in the Workspace, saves it and puts it back.

A failure is never counted as an empty home. The folders, top first; each imports only those below it:

- `commands`, `notebook`: what a person starts
- `restore`, `backup`: objects go from a backup into a workspace, and the other way
- `spark`: a scan by the executors of a Spark server
- `scan`: a scan from this machine, its checkpoint, its homes
- `output`: the files beside a result
- `results`: from rows of folders to one row a user, and what reports say of them; pure
- `tree`: folders, files, and which folder is next; pure
- `transport`: requests to one workspace

A scan: `commands.scan` prepares a `scan.run.Run`; `scan.scan_work.Scan` has workers list one folder after another
through `scan.folder_request` and `transport.client`, no faster than `transport.limiter` allows; `scan.checkpoint`
keeps every finished folder; `results` sums them up.
"""
