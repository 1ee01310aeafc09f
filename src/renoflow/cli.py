"""The `renoflow` command: one function per subcommand, each with a form for people and one in JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from renoflow.cli_queries import add_queries
from renoflow.cli_store import add_commands
from renoflow.definition.schema import workflow_schema
from renoflow.engine.traced import field_facts, rules
from renoflow.engine.workflow import Workflows, load_workflows
from renoflow.errors import DefinitionError, Problem, RenoflowError, ScriptError, UnknownName, UsageError
from renoflow.script import Replay, read_script, run_script
from renoflow.values import Actor, Lang, instant
from renoflow.views import answer, demo, timeline
from renoflow.views.describe import describe_answer, describe_text
from renoflow.views.rules import Wanted, rules_answer, rules_text
from renoflow.workflow.catalog import SHARED, Source, bundled_profiles, bundled_sources, read_definitions

EPILOG = "Without --lang the text is Chinese; --lang en gives English. --json gives data instead of text."
TOO_LARGE = 64 * 1024 * 1024


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a subcommand; returns 0, 1 where faults were found, or 2 where it was called wrongly."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    arguments = _arguments(sys.argv[1:] if argv is None else argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except DefinitionError as error:
        return _report_problems(arguments, error.problems)
    except ScriptError as error:
        return _complain(arguments, f"{arguments.script}: {error}", line=error.line, reason=error.reason)
    except BrokenPipeError:
        # The reader of our output has gone (`renoflow ... | head`): nothing to complain about.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (RenoflowError, OSError) as error:
        return _complain(arguments, str(error))


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = _parser()
    for word in argv:
        # argparse of Python 3.11 and 3.12 would make an empty list of it.
        if word.startswith("--") and word.endswith("=--"):
            parser.error(f"{word}: two dashes are no value")
    return parser.parse_args(argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="renoflow",
        description="装修公司流程：办理、计时、说明理由。 Renovation workflows: decide, count, explain.",
        epilog=EPILOG,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, epilog=EPILOG)
        sub.add_argument("--json", action="store_true", help="answer as JSON")
        sub.add_argument("--lang", choices=("zh", "en"), default="zh", help="language of the text")
        sub.set_defaults(run=run)
        return sub

    sub = command("demo", _demo, "replay the shipped renovation and show what came of it")
    sub.add_argument("--out", type=Path, metavar="DIR", help="also write the script and the answers there")

    sub = command("check", _check, "check workflow files; without files, the bundled ones")
    sub.add_argument("files", nargs="*", type=Path, metavar="FILE")

    sub = command("describe", _describe, "write out a workflow: states, events, deadlines, parameters")
    sub.add_argument("workflow", metavar="WORKFLOW")
    _with_profile(sub)

    sub = command("rules", _rules, "list the handbooks' rules: what implements each, or why nothing does")
    sub.add_argument("ids", nargs="*", metavar="ID", help="D01-29, or F08 for a fact of the field")
    sub.add_argument("--strength", choices=("S", "V", "T"), help="stated, vague, or a heading only")
    sub.add_argument("--open", action="store_true", help="only those that no workflow file cites")
    sub.add_argument("--workflow", metavar="WORKFLOW", help="only those that this workflow cites")
    sub.add_argument("--document", metavar="DOCUMENT", help="only those of this handbook, as D01")
    _with_profile(sub)

    command("schema", _schema, "print the JSON Schema of workflow files, for editors")

    sub = command("replay", _replay, "run a script of dated commands and show what came of every line")
    _with_script(sub)
    sub.add_argument("--history", action="store_true", help="with --json: every case's history too")

    sub = command("explain", _explain, "say why a deadline is due when it is")
    _with_script(sub)
    sub.add_argument("--case", required=True, metavar="ID")
    sub.add_argument("--deadline", required=True, metavar="NAME")

    sub = command("allowed", _allowed, "say what can be done now, by whom, and what the rest lacks")
    _with_script(sub)
    sub.add_argument("--case", required=True, metavar="ID")
    sub.add_argument("--role", metavar="ROLE", help="as seen by somebody with this role")

    add_queries(command, _with_profile, _load)
    add_commands(command, _with_profile, _load)
    return parser


def _with_profile(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--profile", metavar="FILE", help="the firm's profile, or a bundled one by its name")
    sub.add_argument(
        "--workflow-file", type=Path, action="append", default=[], metavar="FILE",
        help="a workflow file of the firm's own; may be given several times",
    )  # fmt: skip


def _with_script(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("script", type=Path, metavar="SCRIPT", help="JSON Lines; - for standard input")
    sub.add_argument("--at", metavar="INSTANT", help="fire what is due by then, as 2026-03-13T00:00:00+08:00")
    _with_profile(sub)


# ------------------------------------------------------------------ subcommands


def _demo(arguments: argparse.Namespace) -> int:
    workflows = load_workflows()
    text = (_examples() / "renovation.jsonl").read_text("utf-8")
    replay = run_script(read_script(text, workflows), workflows)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "renovation.jsonl").write_text(text, "utf-8")
        _write_json(arguments.out / "answer.json", answer.replay_answer(workflows, replay))
        for lang in ("zh", "en"):
            (arguments.out / f"report.{lang}.txt").write_text(demo.report(workflows, replay, lang), "utf-8")
    if arguments.json:
        return _print_json(answer.replay_answer(workflows, replay))
    print(demo.report(workflows, replay, arguments.lang))
    if arguments.out is not None:
        print(("已写入 " if arguments.lang == "zh" else "written to ") + str(arguments.out))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    sources = {name: source for name, source in bundled_sources().items() if name not in SHARED}
    if arguments.files:
        own = [Source(name=str(path), text=_read(path)) for path in arguments.files]
        read_definitions([*sources.values(), *own])
        names = [source.name for source in own]
    else:
        read_definitions(sources.values())
        names = [source.name for source in sources.values()]
    if arguments.json:
        return _print_json({"files": names, "problems": []})
    good = "没有问题" if arguments.lang == "zh" else "no problems"
    for name in names:
        print(f"{name}: {good}")
    return 0


def _describe(arguments: argparse.Namespace) -> int:
    workflows = _load(arguments)
    flow = workflows[arguments.workflow]
    if arguments.json:
        return _print_json(describe_answer(flow))
    print(describe_text(flow, arguments.lang))
    return 0


def _rules(arguments: argparse.Namespace) -> int:
    workflows = _load(arguments)
    if arguments.workflow is not None and arguments.workflow not in workflows:
        raise UnknownName("workflow", arguments.workflow, workflows)
    wanted = Wanted(
        ids=tuple(arguments.ids),
        strength=arguments.strength,
        uncited=arguments.open,
        workflow=arguments.workflow,
        document=arguments.document,
    )
    found = wanted.choose(rules(workflows), field_facts(workflows))
    if arguments.json:
        return _print_json(rules_answer(*found))
    print(rules_text(wanted, *found, arguments.lang))
    return 0


def _schema(arguments: argparse.Namespace) -> int:
    return _print_json(workflow_schema())


def _replay(arguments: argparse.Namespace) -> int:
    workflows, replay = _run(arguments)
    if arguments.json:
        found = answer.replay_answer(workflows, replay)
        if arguments.history:
            found["histories"] = answer.history_answers(workflows, replay)
        return _print_json(found)
    lang: Lang = arguments.lang
    print(timeline.timeline(workflows, replay, lang))
    print()
    print(timeline.standing(workflows, replay, lang))
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    workflows, replay = _run(arguments)
    case = replay.service.case(arguments.case)
    found = workflows[case.workflow].explain(case, arguments.deadline)
    if arguments.json:
        return _print_json(answer.explanation_answer(found, workflows.calendar))
    print(found.text(arguments.lang))
    return 0


def _allowed(arguments: argparse.Namespace) -> int:
    workflows, replay = _run(arguments)
    case = replay.service.case(arguments.case)
    flow = workflows[case.workflow]
    actor = None
    if arguments.role is not None:
        if arguments.role not in flow.plan.roles:
            raise UnknownName("role", arguments.role, flow.plan.roles)
        actor = Actor("?", frozenset((arguments.role,)))
    options = flow.allowed(case, actor=actor, at=replay.at or case.at)
    if arguments.json:
        return _print_json(
            {
                "case": case.id,
                "state": case.state,
                "events": answer.option_answers(options, workflows.calendar),
            }
        )
    print(timeline.options(flow.plan, case, options, arguments.lang))
    return 0


# ------------------------------------------------------------------ what they share


def _load(arguments: argparse.Namespace) -> Workflows:
    profile = arguments.profile
    own = [] if profile is None or profile in bundled_profiles() else [Path(profile)]
    for path in (*arguments.workflow_file, *own):
        _read(path)
    return load_workflows(*arguments.workflow_file, profile=arguments.profile)


def _run(arguments: argparse.Namespace) -> tuple[Workflows, Replay]:
    workflows = _load(arguments)
    at: datetime | None = None if arguments.at is None else instant(arguments.at)
    text = sys.stdin.buffer.read() if str(arguments.script) == "-" else _read(arguments.script)
    return workflows, run_script(read_script(text, workflows), workflows, at=at)


def _read(path: Path) -> bytes:
    if not path.exists():
        raise UsageError(f"没有文件 {path} / no such file: {path}")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give a file")
    if path.stat().st_size > TOO_LARGE:
        raise UsageError(f"{path} is larger than {TOO_LARGE // 1024 // 1024} MB; nothing was read")
    return path.read_bytes()


def _examples() -> Any:
    packaged = files("renoflow") / "examples"
    if packaged.is_dir():
        return packaged
    return Path(__file__).resolve().parents[2] / "examples"


def _print_json(value: Any) -> int:
    print(json.dumps(value, ensure_ascii=False, indent=2))
    return 0


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", "utf-8")


def _report_problems(arguments: argparse.Namespace, problems: Sequence[Problem]) -> int:
    if arguments.json:
        _print_json(
            {
                "problems": [
                    {key: getattr(problem, key) for key in ("file", "line", "path", "message", "suggestion")}
                    for problem in problems
                ]
            }
        )
    else:
        for problem in problems:
            print(problem, file=sys.stderr)
        count = len(problems)
        text = (
            f"共 {count} 处问题" if arguments.lang == "zh" else f"{count} problem{'s' if count != 1 else ''}"
        )
        print(text, file=sys.stderr)
    return 1


def _complain(arguments: argparse.Namespace, text: str, **facts: Any) -> int:
    if arguments.json:
        _print_json({"error": text, **facts})
    print(f"renoflow: {text}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
