"""The torments of scripts/torture."""
