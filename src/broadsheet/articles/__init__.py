"""Clean articles: extraction, language, entities, topics, vectors, near-duplicates."""
