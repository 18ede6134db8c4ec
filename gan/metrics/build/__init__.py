"""Train the nets in `gan/metrics/nets/`. The scores never run these scripts."""
