"""Summarises rows of folders by user, for results, reports and differences. Pure: texts and values."""
