"""The sentences that people read: one template per code and language, nothing decided here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Protocol

from renoflow.values import Label, Lang, listed


class Explainable(Protocol):
    """The shape of a reason."""

    @property
    def code(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def label(self) -> Label | None: ...
    @property
    def values(self) -> Mapping[str, Any]: ...
    @property
    def details(self) -> tuple[Any, ...]: ...


REASONS: Mapping[str, Label] = {
    "wrong_state": Label("当前处于「{state}」，不能办理「{label}」；须处于{allowed}时办理", "'{label}' is not possible in the state '{state}', only in {allowed}"),
    "unknown_event": Label("没有名为 {subject} 的事项，请核对名称", "there is no event named {subject}"),
    "role_not_allowed": Label("「{label}」须由{allowed}办理", "'{label}' is to be done by: {allowed}"),
    "unknown_role": Label("没有名为 {found} 的角色{hint}", "there is no role {found}{hint}"),
    "not_running": Label("「{label}」{status}，不能延长", "'{label}' cannot be extended: {status}"),
    "not_extendable": Label("「{label}」不可延长", "'{label}' may not be extended by anybody"),
    "unknown_parent": Label("没有编号为 {subject} 的上级案卷", "there is no parent case {subject}"),
    "guard_unmet": Label("未满足：{label}", "not met: {label}"),
    "not_yet_due": Label("未到时间，须待{label}（{opens_at} 起可以办理）", "too early, possible once {label} (from {opens_at})"),
    "document_missing": Label("缺《{label}》", "missing document: {label}"),
    "signature_missing": Label("《{label}》缺少{signers}签字", "{label} is not signed by: {signers}"),
    "payment_missing": Label("{label}未收足：应收 {wanted} 元，已收 {found} 元", "{label}, not paid in full: {wanted} yuan due, {found} received"),
    "fact_missing": Label("须填写「{label}」", "'{label}' must be given"),
    "fact_invalid": Label("「{label}」填写有误：收到 {found}；应为{wanted}", "'{label}' is not valid: found {found}; expected {wanted}"),
    "fact_not_allowed": Label("办理「{event}」时不能填写「{label}」", "'{event}' does not take '{label}'"),
    "nothing_told": Label("本案卷不接受 {subject} 告知的内容", "nothing here is told by {subject}"),
    "unknown_link": Label("没有名为 {subject} 的关联", "there is no link named {subject}"),
    "link_taken": Label("{case} 的关联「{subject}」已指向 {found}，该案卷尚未终了", "{case} has {found} under the link {subject}, and that case has not ended"),
    "link_unfit": Label("关联「{subject}」须指向 {wanted} 案卷；{found} 是「{kind}」案卷", "the link {subject} is for a case of {wanted}; {found} is a {kind}"),
    "unknown_fact": Label("没有名为 {subject} 的事实", "there is no fact named {subject}"),
    "unknown_document": Label("没有名为 {subject} 的单据", "there is no document named {subject}"),
    "unknown_payment": Label("没有名为 {subject} 的款项", "there is no payment named {subject}"),
    "payment_invalid": Label("{label}金额有误：收到 {found}；应为大于 0、最多两位小数的金额（元）", "{label}: found {found}; expected a sum above 0 in yuan with at most two decimals"),
    "line_missing": Label("台账中没有 {day} 的「{label}」可划去；已计入累计的不再划去", "the ledger has no line '{label}' of {day} that can be struck out; one that was counted already stays"),
    "unknown_signer": Label("《{label}》不能由 {found} 签字：没有名为 {found} 的角色", "{label}: there is no role {found} to sign it"),
    "time_runs_backwards": Label("所填时间 {found} 早于最近一笔记录（{last}），请核对", "the time given, {found}, is before the last entry, {last}"),
    "case_closed": Label("案卷已终了（{state}），不能再办理「{label}」", "the case has ended ({state}); '{label}' is no longer possible"),
    "already_open": Label("该案卷已存在，不能再次开立", "the case exists already and cannot be opened again"),
    "unknown_case": Label("没有编号为 {subject} 的案卷", "there is no case {subject}"),
    "stale_version": Label("案卷已有新的变动（现为第 {found} 版，命令依据第 {wanted} 版），请查看最新情况后再办理", "the case has moved on (version {found}; the command was made for {wanted}): look at it again first"),
    "date_out_of_range": Label("由此算出的日期不在公历 1 至 9999 年之内，请核对所填日期或期限", "the date that follows lies outside the years 1 to 9999"),
    "calendar_unpublished": Label("{year} 年的工作日历尚未公布，本公司设定为不按推定日历计算", "the calendar of {year} is not published, and the firm does not assume one"),
    "leaf": Label("{label}", "{label}"),
}  # fmt: skip

_FOUND = Label("（现为：{found}）", " (found: {found})")
_DETAILS = Label("——{details}", " — {details}")
_WITHIN = Label("（{details}）", " ({details})")
_ONE_OF = Label("须满足其一：{details}", "one of these must hold: {details}")


def sentence(reason: Explainable, lang: Lang, within: bool = False) -> str:
    """A reason as one sentence; what its parts consist of stands in brackets."""
    values = {key: shown(value, lang) for key, value in reason.values.items()}
    label = reason.label.text(lang) if reason.label is not None else reason.subject
    template = REASONS[reason.code].text(lang)
    text = template.format_map(_Blank(values, subject=reason.subject, label=label))
    if reason.code in ("leaf", "guard_unmet"):
        text += _found(reason.values, lang)
    # When it may be done says more than that the wait is still running.
    parts = () if reason.code == "not_yet_due" else reason.details
    details = [sentence(part, lang, within=True) for part in parts]
    # A single leaf that says what its condition says, if only in the other language, is not said twice.
    if len(details) == 1:
        if details[0].startswith(label):
            return text + details[0].removeprefix(label)
        if _says_the_same(reason.label, parts[0].label):
            return text + _found(parts[0].values, lang)
    if details:
        listing = ("；" if lang == "zh" else "; ").join(details)
        if len(details) > 1 and reason.values.get("one_of"):
            listing = _ONE_OF.text(lang).format(details=listing)
        text += (_WITHIN if within else _DETAILS).text(lang).format(details=listing)
    return text


def _says_the_same(one: Label | None, other: Label | None) -> bool:
    return one is not None and other is not None and (one.zh == other.zh or one.en == other.en)


def _found(values: Mapping[str, Any], lang: Lang) -> str:
    return _FOUND.text(lang).format(found=shown(values["found"], lang)) if "found" in values else ""


def shown(value: object, lang: Lang) -> str:
    """A value inside a sentence."""
    if isinstance(value, Label):
        return value.text(lang)
    if isinstance(value, (tuple, list)):
        return listed((shown(item, lang) for item in value), lang)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


class _Blank(dict[str, str]):
    """Values of a template; one that is missing shows as an ellipsis rather than failing a refusal."""

    def __init__(self, values: Mapping[str, str], **more: str) -> None:
        super().__init__({**values, **more})

    def __missing__(self, key: str) -> str:
        return "…"
