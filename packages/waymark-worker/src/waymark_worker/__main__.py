"""`python -m waymark_worker` and `waymark-start-workers`: starts the pool."""

import sys

from waymark_worker.cli import main

if __name__ == "__main__":
    sys.exit(main())
