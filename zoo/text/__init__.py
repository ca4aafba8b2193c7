"""Plain text for a person: tables, durations, lists, the nearest known name."""
