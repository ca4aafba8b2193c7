"""The report while its sweep runs: how far the sweep is, and when there is time to write more than that."""
