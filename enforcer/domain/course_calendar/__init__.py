"""What the course's calendar means for limits and messages. Pure."""
