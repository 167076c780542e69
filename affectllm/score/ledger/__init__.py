"""The ledger of reproduced numbers: published predictions, our score of them, and the value that was published."""
