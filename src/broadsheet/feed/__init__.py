"""The feed: which stories, in which order, and why."""
