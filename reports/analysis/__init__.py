"""From a sweep to what can be said of it: frames, sentences, advice. May import zoo and reports.store."""
