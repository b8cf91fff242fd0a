"""Which workspace a program uses: the choice of host and credential, and the one that it expects."""
