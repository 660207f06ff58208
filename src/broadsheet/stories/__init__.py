"""Stories: articles that report one event, and how a story is told from their own sentences."""
