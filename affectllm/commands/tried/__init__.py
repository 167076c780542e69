"""Commands that try a model: on single clips, in a talk, aloud."""
