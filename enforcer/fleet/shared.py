"""What the labs of a fleet share or must not share: request limits, mail accounts, and ledgers."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from enforcer.fleet.lab_environment import LabEnvironment
from enforcer.fleet.mail_account import MailAccount
from enforcer.settings import Settings, SettingsError
from enforcer.workspace.client import Workspace, rate_limiters
from enforcer.workspace.rate_limit import RateLimiter


class SharedResources:
    """Used by several threads."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._limiters: dict[str, Mapping[str, RateLimiter]] = {}
        self._accounts: dict[str, MailAccount] = {}
        self._ledgers: dict[str, str] = {}
        """Maps the key of a ledger to the lab that uses it."""
        self._outputs: dict[str, str] = {}
        """Maps each file that a lab writes to the lab."""
        self._courses: dict[tuple[str, str, str], str] = {}
        """Maps host, course and term to the lab."""

    def claim(self, lab: LabEnvironment) -> Settings:
        """Return the lab's settings with its share in the mail account.

        Raises SettingsError if another lab has the same ledger, writes the same file, or has the same course in the
        same workspace.
        """
        settings, name = lab.settings, lab.entry.name
        course = (lab.choice.host.lower(), settings.course or "", settings.term or "")
        with self._lock:
            self._release(name)
            problems = []
            if other := self._ledgers.get(lab.ledger_key):
                problems.append(
                    f"the ledger is also the ledger of the lab {other}; set database or CLUSTER_UPTIMES_DB for each."
                )
            for variable, path in lab.outputs.items():
                if other := self._outputs.get(path):
                    problems.append(f"{variable} is also a file of the lab {other}; set a different one for each.")
            for (host, *known), other in self._courses.items():
                if host and host == course[0] and (tuple(known) == course[1:] or not known[0] or not course[1]):
                    problems.append(
                        f"the lab {other} is in the same workspace {host}; set different courses and terms for both."
                    )
            if problems:
                raise SettingsError(problems)
            self._ledgers[lab.ledger_key] = name
            self._outputs |= dict.fromkeys(lab.outputs.values(), name)
            self._courses[course] = name
            if settings.mail is None:
                return settings
            account = self._accounts.setdefault(lab.mail_key, MailAccount(now=self._now))
            share = account.join(name, settings.ledger_location, settings.mail.budget)
            return replace(settings, mail=replace(settings.mail, account=share))

    def _release(self, name: str) -> None:
        self._ledgers = {key: lab for key, lab in self._ledgers.items() if lab != name}
        self._outputs = {key: lab for key, lab in self._outputs.items() if lab != name}
        self._courses = {key: lab for key, lab in self._courses.items() if lab != name}

    def share_limiters(self, workspace: Workspace) -> None:
        """Let the client use the same rate limiters as all other clients of its workspace."""
        key = workspace.workspace_id or workspace.host.lower()
        with self._lock:
            limiters = self._limiters.setdefault(key, rate_limiters())
        workspace.share_limiters(limiters)
