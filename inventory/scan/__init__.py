"""Lists every folder of the selected homes and stores the progress in a checkpoint.

`run` prepares a scan and writes its result; `homes` finds the roots, `scan_work` lists all folders, `folder_request`
lists one folder through the API and `mounts` without it; `checkpoint` and `file_rows` store the results.
"""
