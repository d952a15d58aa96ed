"""``python -m api_page > docs/api.md``"""

from __future__ import annotations

import sys
from pathlib import Path

from api_page.page import page

ROOT = Path(__file__).parents[2]

if __name__ == "__main__":
    sys.stdout.write(page(ROOT))
