"""Keeps every group's cluster inside its quota and tells people about it.

One tick, which `poll`, `watch` and `end-of-day` run (`tick.run.run_tick`):

1. `tick.collect` lists the clusters and reads the course file, the allowances and the events of what changed.
2. `ledger` keeps what was read; `domain.uptime` makes sessions of the events.
3. `domain.quota` says how much of each limit is used and decides what is due: warn, restrict, stop, restore.
4. `tick.carry_out` notes each intent, carries it out on the workspace, and notes the outcome.
5. `tick.settle` closes past days at the end of a day: totals fixed, the report queued.
6. `mail.messages` renders the messages; they wait in the ledger's outbox until `mail.sender` has sent them.

What the workspace shows decides, not what was done before: a poll that was killed is put right by the next.
"""
