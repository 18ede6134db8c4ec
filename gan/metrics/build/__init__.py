"""Scripts that train the nets in `gan/metrics/nets/`; the scores themselves never run them."""
