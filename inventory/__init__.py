"""Counts, saves and restores the files in every user's home, in DBFS and in the Workspace.

A failure is never counted as an empty home. Packages, top first; each imports only packages below it:

- `commands`, `notebook`: the entry points
- `restore`, `backup`: copy objects from a backup into a workspace, and the reverse
- `spark`: scans with the executors of a Spark server
- `scan`: scans from this machine, with checkpoints
- `output`: the files written besides a result
- `results`: totals by user, and the figures in reports; pure
- `tree`: folders, files, and the queue of folders; pure
- `transport`: HTTP requests to one workspace

A scan: `commands.scan` prepares a `scan.run.ScanRun`; `scan.scan_work.FolderScan` has workers list one folder after
another through `scan.folder_request` and `transport.client`, at the rate of `transport.limiter`; `scan.checkpoint`
stores every listed folder; `results` sums them up.
"""
