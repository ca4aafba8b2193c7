"""Directories of processes on this machine: what they share, and what is temporary."""
