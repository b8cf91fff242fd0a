"""What lies in every user's home, in DBFS and in the Workspace, counted without turning a failure into a zero.

A scan in six lines: `users` says whose homes; `listing.Walk` knows which folder comes next; `scan.Scan` has workers ask
`client.Client` for it, no faster than `limiter.Limiter` allows; `checkpoint.Checkpoint` keeps every finished folder;
`results` sums them up, one row a user; `commands` are what a person types.
"""
