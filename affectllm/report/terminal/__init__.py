"""Terminal output of commands: lists, single items, audits."""
