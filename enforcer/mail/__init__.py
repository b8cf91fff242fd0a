"""Messages, the outbox that keeps them, and the service that delivers them."""
