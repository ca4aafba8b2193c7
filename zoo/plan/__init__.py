"""From a question to its runs: identity, shared trainings, added seeds, model costs, run time forecast, budget, summary."""
