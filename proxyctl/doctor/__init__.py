"""What `proxyctl doctor` looks at: checks that change nothing, each with a finding and the mend to type."""

from __future__ import annotations

from proxyctl.doctor.examination import examine
from proxyctl.doctor.findings import Finding

__all__ = ["Finding", "examine"]
