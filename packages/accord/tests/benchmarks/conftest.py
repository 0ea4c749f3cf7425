"""The benchmarks are a folder of the checkout, not a distribution: this puts it within reach of its tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4]))
