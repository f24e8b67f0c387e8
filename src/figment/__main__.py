"""``python -m figment``."""

import os
import sys

if sys.path and not sys.flags.safe_path and sys.path[0] in ("", os.getcwd()):
    del sys.path[0]  # the current folder may be a stranger's: what lies in it is not to be imported

from figment.cli import main

sys.exit(main())
