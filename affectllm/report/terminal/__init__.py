"""What commands print: lists, single things, audits."""
