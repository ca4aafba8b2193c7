"""The only package that writes to MLflow, and the names that are used there. May import zoo.plan and what is below it."""
