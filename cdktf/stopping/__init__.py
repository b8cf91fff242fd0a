"""Stops clusters that the deploy has just created, once their libraries are installed."""
