"""Broadsheet shows each reader the stories that matter to them: once each, with reasons, and nothing made up."""

__version__ = "0.1.0"
