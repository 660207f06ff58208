"""The measures: how well each stage does its work on labelled sets."""
