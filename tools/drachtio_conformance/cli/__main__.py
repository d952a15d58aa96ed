"""``python -m drachtio_conformance.cli``: the command without its installed script."""

import sys

from drachtio_conformance.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
