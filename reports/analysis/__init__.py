"""From a sweep to what can be said of it."""
