"""`scripts/bench publish`: asv's pages, with the libraries that they need beside them."""
