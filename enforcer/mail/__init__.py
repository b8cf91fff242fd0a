"""Messages, the outbox that stores them, and the service that delivers them."""
