"""Several processes of one launch: what they share, and the same kinds of clips in each batch of theirs."""
