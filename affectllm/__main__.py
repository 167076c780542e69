"""``python -m affectllm`` is the command ``affectllm``."""

import sys

from affectllm.cli import main

if __name__ == "__main__":
    sys.exit(main())
