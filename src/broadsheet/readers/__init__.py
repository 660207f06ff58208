"""Readers: what they follow, mute and have taught."""
