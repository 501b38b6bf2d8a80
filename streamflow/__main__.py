"""`python -m streamflow` is `python stream.py`."""

import sys

from stream import main

sys.exit(main())
