"""The subcommands that look after kept cases: sweep, outbox, purge, verify-history, redact, db."""

from __future__ import annotations

import json
import re
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Any

from renoflow.cli_kept import Adder, Loader, answer, on_cases, progress, say, store_of, with_db
from renoflow.engine.calendar import Calendar
from renoflow.engine.workflow import Workflows
from renoflow.errors import SchemaMismatch, StoreBusy, StoreUnreachable, UsageError
from renoflow.outcome import Outcome, together
from renoflow.service import BATCH, CaseService
from renoflow.store.protocol import OutboxItem, Postponed
from renoflow.values import Actor, Label, instant

if TYPE_CHECKING:
    from renoflow.store.sql import SqlStore

WORDS = {
    "swept": Label("{at} 到期处理：记录 {lines} 笔，待办 {effects} 项", "due by {at}: {lines} entries, {effects} effects"),
    "postponed": Label("  {case} 失败 {attempts} 次，{retry_at} 再试：{failure}", "  {case} failed {attempts} times, again at {retry_at}: {failure}"),
    "failed": Label("本轮未办成，下轮再来：{why}", "not this time, again at the next: {why}"),
    "nothing": Label("没有", "none"),
    "revived": Label("{key} 将重新投递", "{key} will be delivered again"),
    "purged": Label("已清除 {count} 条", "{count} removed"),
    "sound": Label("{count} 个案卷的记录完好", "the histories of {count} cases are as they were written"),
    "broken": Label("{broken} 个案卷的记录有问题（共 {count} 个）", "{broken} of {count} histories are not as they were written"),
    "redacted": Label("已从 {case} 删除：{lines}", "removed from {case}: {lines}"),
    "upgraded": Label("数据表已是版本 {found}", "the tables are of version {found}"),
    "unindexed": Label("有的案卷还不能按事实和文字查到，请接着运行（公司自己的配置和流程文件照常给出）：{command}", "some cases are not found by facts and words yet; now run, with the firm's own profile and workflow files: {command}"),
    "reindexed": Label("已重读 {count} 个案卷，可按现行流程文件查找", "{count} cases were read again, and are found as the workflow files now say"),
    "unread": Label("{case}（{tenant}）读不出：{why}", "{case} of {tenant} cannot be read: {why}"),
    "partly": Label("已重读 {count} 个案卷，其中 {unread} 个读不出，仍按原样查找", "{count} cases were read again; {unread} of them cannot be read, and are found as before"),
    "matches": Label("数据表与本版本一致（{found}）", "the tables are those of this version ({found})"),
    "waiting": Label("待投递", "waiting"),
    "delivered": Label("已投递", "delivered"),
    "dead": Label("已放弃", "dead"),
}  # fmt: skip

_EVERY = re.compile(r"(\d{1,6})(s|m|h)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def add_commands(command: Adder, with_profile: Callable[[ArgumentParser], None], load: Loader) -> None:
    """Our subcommands; `load` reads the workflows that the arguments name."""
    sub = on_cases(
        command,
        "sweep",
        lambda arguments, store: _sweep(arguments, store, load),
        "let what has fallen due happen",
    )
    sub.add_argument("--at", metavar="INSTANT", help="as if it were then; now by default")
    sub.add_argument("--every", metavar="TIME", help="go on, every 30s, 5m or 1h, until it is stopped")
    sub.add_argument("--limit", type=int, metavar="N", help="at most so many families of cases a sweep")
    with_profile(sub)

    sub = on_cases(command, "outbox", _outbox, "show the effects that wait to be delivered")
    which = sub.add_mutually_exclusive_group()
    which.add_argument("--dead", action="store_true", help="those that failed too often")
    which.add_argument("--delivered", action="store_true", help="those that were delivered")
    which.add_argument("--retry", metavar="KEY", help="let a dead one be delivered again")
    sub.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many; 100 by default")

    sub = on_cases(
        command, "purge", _purge, "remove old answers under keys, and old effects that were delivered"
    )
    sub.add_argument("--before", required=True, metavar="INSTANT", help="those from before then")

    sub = on_cases(command, "verify-history", _verify, "find histories that were changed, cut or reordered")
    sub.add_argument("--case", metavar="ID", help="of this case only")

    sub = on_cases(
        command,
        "redact",
        lambda arguments, store: _redact(arguments, store, load),
        "remove a case's personal data",
    )
    sub.add_argument("--case", required=True, metavar="ID")
    sub.add_argument(
        "--fact", action="append", metavar="NAME", help="only this one; may be given several times"
    )
    sub.add_argument("--notes", action="store_true", help="the free text of notes too")
    sub.add_argument("--actor", required=True, metavar="ID", help="who does it")
    sub.add_argument("--reason", required=True, metavar="TEXT", help="who asked for it, on what ground")
    sub.add_argument("--at", metavar="INSTANT", help="when; now by default")
    with_profile(sub)

    def db(arguments: Namespace) -> int:
        with store_of(arguments, may_be_new=arguments.what == "upgrade") as store:
            if arguments.what == "reindex":
                return _reindex(arguments, store, load)
            return (_upgrade if arguments.what == "upgrade" else _check)(arguments, store)

    sub = command("db", db, "make the tables, bring them up to date, check them, or find cases anew")
    sub.add_argument("what", choices=("upgrade", "check", "reindex"))
    with_db(sub)
    with_profile(sub)


# ------------------------------------------------------------------ subcommands


def _sweep(arguments: Namespace, store: SqlStore, load: Loader) -> int:
    if arguments.every is not None and arguments.at is not None:
        raise UsageError("--every goes by the clock; give --at without it")
    pause = None if arguments.every is None else _seconds(arguments.every)
    service = CaseService(load(arguments), store, tenant=arguments.tenant)
    with _until_stopped() as stopped:
        while True:
            at = datetime.now(UTC) if arguments.at is None else instant(arguments.at)
            try:
                _report_sweep(arguments, at, _sweep_once(service, at, arguments.limit, stopped))
            except (StoreBusy, StoreUnreachable) as error:
                if pause is None:
                    raise
                print(_say(arguments, "failed", why=error), file=sys.stderr, flush=True)
            if pause is None or stopped.wait(pause):
                return 0


def _sweep_once(service: CaseService, at: datetime, limit: int | None, stopped: Event) -> Outcome:
    """In batches, each a transaction; a request to stop is heard between two of them."""
    outcomes = []
    due = service.count_due(at)
    left = due if limit is None else min(limit, due)
    with progress(total=left) as bar:
        while left > 0 and not stopped.is_set():
            size = min(BATCH, left)
            outcomes.append(service.sweep(at, limit=size))
            bar.update(size)
            left -= size
    if limit is None and not stopped.is_set():
        # What those steps made due.
        outcomes.append(service.sweep(at))
    return together(outcomes)


def _report_sweep(arguments: Namespace, at: datetime, outcome: Outcome) -> None:
    if arguments.json:
        said = {
            "at": _shown(at),
            "entries": len(outcome.entries),
            "effects": len(outcome.effects),
            "postponed": [_postponed(item) for item in outcome.postponed],
        }
        print(json.dumps(said, ensure_ascii=False), flush=True)
        return
    numbers = {"lines": len(outcome.entries), "effects": len(outcome.effects)}
    print(_say(arguments, "swept", at=_shown(at), **numbers), flush=True)
    for item in outcome.postponed:
        print(_say(arguments, "postponed", **_postponed(item)), flush=True)


def _outbox(arguments: Namespace, store: SqlStore) -> int:
    service = CaseService(Workflows({}), store, tenant=arguments.tenant)
    if arguments.retry is not None:
        if not service.revive(arguments.retry):
            raise UsageError(f"no dead effect has the key {arguments.retry!r}; --dead lists them")
        text = _say(arguments, "revived", key=arguments.retry)
        return answer(arguments, {"revived": arguments.retry}, [text])
    status = "dead" if arguments.dead else "delivered" if arguments.delivered else "waiting"
    items = service.outbox(status, limit=arguments.limit)
    lines = [_item_line(arguments, item) for item in items] or [_say(arguments, "nothing")]
    return answer(arguments, {"effects": [_item(item) for item in items]}, lines)


def _purge(arguments: Namespace, store: SqlStore) -> int:
    service = CaseService(Workflows({}), store, tenant=arguments.tenant)
    gone = service.purge(arguments.before)
    return answer(arguments, {"purged": gone}, [_say(arguments, "purged", count=gone)])


def _verify(arguments: Namespace, store: SqlStore) -> int:
    count, wrong = 0, {}
    for case, faults in progress(store.verify_history(arguments.tenant, arguments.case)):
        count += 1
        if faults:
            wrong[case] = [{"zh": fault.zh, "en": fault.en} for fault in faults]
    lines = [f"{case}: {fault[arguments.lang]}" for case, faults in wrong.items() for fault in faults]
    lines.append(_say(arguments, "broken" if wrong else "sound", count=count, broken=len(wrong)))
    answer(arguments, {"cases": count, "faults": wrong}, lines)
    return 1 if wrong else 0


def _redact(arguments: Namespace, store: SqlStore, load: Loader) -> int:
    service = CaseService(load(arguments), store, tenant=arguments.tenant)
    outcome = service.redact(
        arguments.case,
        arguments.fact,
        notes=arguments.notes,
        actor=Actor(arguments.actor),
        at=arguments.at or datetime.now(UTC),
        reason=arguments.reason,
    )
    lines = [
        line.event.removesuffix(".redacted") for line in outcome.entries if line.event.endswith(".redacted")
    ]
    text = _say(arguments, "redacted", case=arguments.case, lines=", ".join(lines))
    return answer(arguments, {"case": arguments.case, "redacted": lines}, [text])


def _upgrade(arguments: Namespace, store: SqlStore) -> int:
    found = store.upgrade()
    lines = [_say(arguments, "upgraded", found=found)]
    unindexed = store.unindexed()
    if unindexed:
        lines.append(_say(arguments, "unindexed", command=f"renoflow db reindex --db {store.url}"))
    return answer(arguments, {"version": found, "reindex": unindexed}, lines)


def _check(arguments: Namespace, store: SqlStore) -> int:
    try:
        found = store.check()
    except SchemaMismatch as error:
        answer(arguments, {"version": error.found, "faults": [str(error)]}, [str(error)])
        return 1
    faults = store.differences()
    lines = faults or [_say(arguments, "matches", found=found)]
    answer(arguments, {"version": found, "faults": faults}, lines)
    return 1 if faults else 0


def _reindex(arguments: Namespace, store: SqlStore, load: Loader) -> int:
    workflows = load(arguments)
    count, unread = 0, list[dict[str, str]]()
    with progress(unit="") as bar:
        for tenant in store.tenants():
            service = CaseService(workflows, store, tenant=tenant)
            found = BATCH
            while found == BATCH:
                found, failures = service.reindex(limit=BATCH)
                unread += [{"tenant": tenant, "case": case, "why": why} for case, why in failures.items()]
                count += found
                bar.update(found)
    lines = [_say(arguments, "unread", **one) for one in unread]
    lines.append(_say(arguments, "partly" if unread else "reindexed", count=count, unread=len(unread)))
    answer(arguments, {"cases": count, "unread": unread}, lines)
    return 1 if unread else 0


# ------------------------------------------------------------------ what they share


@contextmanager
def _until_stopped() -> Iterator[Event]:
    """Set by the first SIGINT or SIGTERM: what is being done is finished first."""
    stopped = Event()

    def stop(number: int, frame: Any) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _seconds(text: str) -> int:
    match = _EVERY.fullmatch(text)
    if match is None or not int(match[1]):
        raise UsageError(f"{text!r} is no time between two sweeps; write it as 30s, 5m or 1h")
    return int(match[1]) * _SECONDS[match[2] or "s"]


def _shown(at: datetime | None) -> str:
    return "" if at is None else Calendar().iso(at)


def _say(arguments: Namespace, word: str, **values: Any) -> str:
    return say(WORDS, arguments, word, **values)


def _postponed(item: Postponed) -> dict[str, Any]:
    return {
        "case": item.case,
        "attempts": item.attempts,
        "retry_at": _shown(item.retry_at),
        "failure": item.failure,
    }


def _item(item: OutboxItem) -> dict[str, Any]:
    effect = item.effect
    return {
        "key": effect.key,
        "kind": effect.kind,
        "to": effect.to,
        "case": effect.case,
        "about": effect.about,
        "at": _shown(effect.at),
        "status": item.status,
        "attempts": item.attempts,
        "retry_at": _shown(item.retry_at),
        "failure": item.failure,
    }


def _item_line(arguments: Namespace, item: OutboxItem) -> str:
    effect = item.effect
    tried = f" ×{item.attempts} {item.failure}" if item.failure else ""
    status = _say(arguments, item.status)
    return f"{effect.key}  {effect.kind} → {effect.to}  {_shown(effect.at)}  {status}{tried}"
