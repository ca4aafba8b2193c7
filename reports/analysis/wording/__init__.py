"""What an analysis says, in words."""
