"""``python -m accord``: the same door."""

import sys

from accord.cli.main import main

sys.exit(main())
