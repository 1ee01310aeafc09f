"""Whether the histories are what was written, by their chains of hashes; no workflow is needed for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from attrs import field, frozen

from renoflow.engine.redaction import NOTES, line_for
from renoflow.store import statements as sql
from renoflow.store.chain import Line, faults
from renoflow.store.runner import Runner
from renoflow.values import Label

PAGE = 500


@frozen
class Verifier:
    """Looks through the histories of one tenant."""

    runner: Runner
    tenant: str
    # For each case, the line that last says that something was redacted, by that line's event.
    redactions: dict[str, dict[str, int]] = field(factory=dict)

    def case(self, case_id: str) -> tuple[Label, ...]:
        """What is wrong with the history of one case; nothing, when all is well."""
        found = self.runner.first(sql.STANDING, tenant=self.tenant, id=case_id)
        if found is None:
            return (Label("没有这个案卷", "there is no such case"),)
        version, head, snapshot = found
        lines = [Line(number=n, body=b, personal=p, hash=h) for n, b, p, h in self._lines(case_id)]
        wrong = faults(lines, entries=version, head=head, gone=self._gone)
        return (*wrong, *_snapshot_faults(snapshot, version))

    def all(self) -> Iterator[tuple[str, tuple[Label, ...]]]:
        """Every case, with what is wrong with its history; and histories that no case has."""
        after = 0
        while page := self.runner.rows(sql.IDS, tenant=self.tenant, after=after, limit=PAGE):
            for position, case_id in page:
                after = position
                yield case_id, self.case(case_id)
        for (case_id,) in self.runner.rows(sql.ORPHANS, tenant=self.tenant):
            yield case_id, (Label("有历史而没有案卷", "there is a history, and no case"),)

    def _lines(self, case_id: str) -> list[Any]:
        return self.runner.rows(sql.HISTORY, tenant=self.tenant, id=case_id, first=0, last=2**31 - 1)

    def _gone(self, body: Mapping[str, Any], place: str) -> bool:
        """Whether the case, or the linked one that told it, has a later line that says so."""
        owner, number = str(body.get("case")), int(body.get("number", 0))
        *_, name = place.split(".")
        event = NOTES if place == "note" else line_for(name)
        if self._redacted(owner).get(event, 0) > number:
            return True
        told = body.get("told") or {}
        return place.startswith("told.") and event in self._redacted(str(told.get("case")))

    def _redacted(self, case_id: str) -> Mapping[str, int]:
        if case_id not in self.redactions:
            found = self.runner.rows(sql.REDACTIONS, tenant=self.tenant, id=case_id, last_part=".redacted")
            self.redactions[case_id] = dict(found)
        return self.redactions[case_id]


def _snapshot_faults(snapshot: str, version: int) -> tuple[Label, ...]:
    try:
        entries = msgspec.json.decode(snapshot)["entries"]
    except (msgspec.MsgspecError, KeyError, TypeError):
        return (Label("案卷快照无法读取", "the snapshot cannot be read"),)
    if entries == version:
        return ()
    return (
        Label(
            f"快照为第{entries}版，案卷记录为第{version}版",
            f"the snapshot is of version {entries}, the row of {version}",
        ),
    )
