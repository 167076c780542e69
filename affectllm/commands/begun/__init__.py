"""Commands to begin with: a project of one's own, the completion of a shell."""
