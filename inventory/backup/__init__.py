"""What the homes hold, saved into a folder or a cloud storage, proven there, and put back.

`run` is a backup from what was asked for to its manifest: `backup_work` is the work that the worker pool does for it,
`names` says under which names things lie, `manifest` what is written down of each, `target` where it all goes.
`verify` compares the three: what was written down, what lies there, what the workspace has. `restore` puts it back.
"""
