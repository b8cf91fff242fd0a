"""Stops clusters that the deployment has just created, once their libraries are installed."""
