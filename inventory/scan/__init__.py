"""Lists every folder of the homes that were asked for, and remembers what is done.

`run` is a scan from what was asked for to its result; `homes` says where it begins, `scan_work` lists,
`folder_request` is one listing by the API, `mounts` one without it; `checkpoint` and `file_rows` keep what is done.
"""
