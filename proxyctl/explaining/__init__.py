"""What codes mean, why they come up and what to type next: Twilio's, HTTP's statuses and our own exit codes.

Plain data that needs no network, in words of our own, so that errors, `proxyctl explain` and the man pages tell
the same. Imports nothing but the error classes.
"""

from __future__ import annotations

from proxyctl.explaining.explanation import Explanation, hint_for
from proxyctl.explaining.table import explanation_of, near_codes, twilio_code

__all__ = ["Explanation", "explanation_of", "hint_for", "near_codes", "twilio_code"]
