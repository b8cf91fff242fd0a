"""Ids that look like the platform's and do not depend on the order of requests.

An id is a digest of the seed, the kind of object, its natural key and the number of earlier uses of this key. Thirty
parallel creations get the same ids in every run with the same seed, and a re-created object gets a new id.
"""

import hashlib
import uuid
from dataclasses import dataclass, field


@dataclass
class Ids:
    seed: str
    uses: dict[str, int] = field(default_factory=dict)

    def number(self, kind: str, key: str) -> int:
        """Return a positive number of 12 to 16 digits."""
        return 10**11 + int.from_bytes(self._digest(kind, key)[:6], "big") * 31

    def hex(self, kind: str, key: str, length: int) -> str:
        return self._digest(kind, key).hex()[:length]

    def uuid(self, kind: str, key: str) -> str:
        return str(uuid.UUID(bytes=self._digest(kind, key)[:16], version=4))

    def release(self, kind: str, key: str) -> None:
        """Let the next object with this key have the same id as the last one."""
        self.uses[f"{kind}:{key}"] = max(0, self.uses.get(f"{kind}:{key}", 0) - 1)

    def _digest(self, kind: str, key: str) -> bytes:
        use = self.uses.get(f"{kind}:{key}", 0)
        self.uses[f"{kind}:{key}"] = use + 1
        return hashlib.sha256(f"{self.seed}:{kind}:{key}:{use}".encode()).digest()
