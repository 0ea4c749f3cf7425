"""``python -m accord_conformance``."""

import sys

from accord_conformance.cli import main

sys.exit(main())
