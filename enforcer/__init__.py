"""Keeps every group's cluster within its quota and notifies people.

`poll`, `watch` and `end-of-day` run ticks (`tick.run.run_tick`). One tick:

1. `tick.collect` lists the clusters and reads the course file, the allowances and the events of changed clusters.
2. `ledger` stores what was read; `domain.uptime` derives sessions from the events.
3. `domain.quota` computes how much of each limit is used and decides which actions are due: warn, restrict, stop,
   restore.
4. `tick.carry_out` records each intended action, performs it in the workspace, and records the result.
5. `tick.settle` settles past days: it fixes their totals and queues the report.
6. `mail.messages` renders the messages; they stay in the ledger's outbox until `mail.sender` has sent them.

Decisions depend on the state of the workspace, not on earlier actions, so the next poll repairs the effects of a killed
poll.
"""
