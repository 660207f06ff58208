"""Bundled open-licence news, served as real feeds on loopback."""
