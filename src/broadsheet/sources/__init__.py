"""Where entries come from: fetching, reading and scheduling sources."""
