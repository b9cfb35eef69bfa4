"""The recorded packages have tests of their own, which are not ours to run here."""

from __future__ import annotations

collect_ignore_glob = ["packages/*", "notebooks/*"]
