"""Stops clusters that the deploy has just made, once their libraries are installed."""
