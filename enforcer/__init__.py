"""Keeps every group's cluster inside its quota and tells people about it.

The loop, in ten lines:

1. `workspace` lists the clusters and reads the course file, the allowances and the events of what changed.
2. `ledger` keeps the events and what was seen; `uptime` makes sessions of them.
3. `quota` says how much of each limit is used and decides what is due: warn, restrict, stop, restore.
4. `poll` notes the intent, carries it out on the workspace, and records it.
5. `letters` renders what people are to know; it waits in the ledger's outbox until `mailer` has sent it.
6. `settle` closes past days: totals fixed, restrictions lifted, the report queued.

What the workspace shows decides, not what was done before: a poll that was killed is put right by the next.
"""
