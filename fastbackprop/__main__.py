"""``python -m fastbackprop``."""

import sys

from fastbackprop.cli import main

if __name__ == "__main__":
    sys.exit(main())
