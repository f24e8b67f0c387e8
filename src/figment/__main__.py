"""``python -m figment``."""

import sys

from figment.cli import main

sys.exit(main())
