"""What ordinary deletion will need to know of a recording, and no more.

Connection data and scores are left out on purpose: the ledger keeps who, where and under which terms.
"""

from __future__ import annotations

from typing import Any

from pipeline.core.recording import Recording


def described(recording: Recording) -> dict[str, Any]:
    """JSON values: uris with offsets, session, stream, and the people with account, age class and terms."""
    return {
        "parts": [{"uri": part.uri, "offset_ns": part.offset_ns} for part in recording.parts],
        "session_id": recording.session_id,
        "stream_id": recording.stream_id,
        "participants": [
            {
                "handle": person.handle,
                "account": person.account,
                "jurisdiction": person.jurisdiction,
                "age_class": person.age_class.value,
                "policy_version": person.policy_version,
                "provision_mode": person.provision_mode.value,
            }
            for person in recording.participants
        ],
    }
