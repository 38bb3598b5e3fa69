"""
A LightRetriever checkpoint, or any Llama or Qwen2 decoder, to a Lightedge model folder.

    python indexer/export lightretriever/lightretriever-qwen2.5-1.5b --out models/lightretriever-qwen2.5-1.5b

See docs/export.md.
"""

import argparse
import shutil
import sys
from pathlib import Path

from problem import Problem

WEB_SEARCH = "Given a web search query, retrieve relevant passages that answer the query"


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python indexer/export", description="Writes a Lightedge model folder from a decoder checkpoint."
    )
    parser.add_argument("checkpoint", help="LoRA checkpoint or whole model: a folder, or a name on the model hub")
    parser.add_argument(
        "--out", required=True, type=Path, help="the model folder to make; it must not exist or be empty"
    )
    parser.add_argument("--base", help="base model of an adapter (default: the one it was trained on)")
    parser.add_argument("--another-base", action="store_true", help="take a base of another name than the adapter's")
    parser.add_argument(
        "--precision", choices=("fp32", "fp16", "int8-weights"), default="fp16", help="of the weights (default fp16)"
    )
    parser.add_argument("--external", action="store_true", help="weights in a file beside the graph, however few")
    parser.add_argument(
        "--task",
        action="append",
        default=[],
        metavar="NAME=INSTRUCTION",
        help=f'an instruction for queries; repeat for more, the first is the default (default "search={WEB_SEARCH}")',
    )
    parser.add_argument(
        "--max-tokens", type=int, default=512, help="of a document, begin and end included (default 512)"
    )
    parser.add_argument("--max-query-tokens", type=int, default=512, help="of a query (default 512)")
    parser.add_argument("--top-k", type=int, default=512, help="impacts kept for a document (default 512)")
    parser.add_argument("--cut", type=int, help="leading numbers of a vector to keep (Matryoshka checkpoints)")
    parser.add_argument("--keep-case", action="store_true", help="do not lower-case: for models not trained so")
    parser.add_argument("--name", help="of the model, for people (default: the checkpoint's)")
    parser.add_argument("--licence", required=True, help="of the weights, such as llama3.2 or apache-2.0")
    parser.add_argument("--source", help="where the weights come from, for people (default: checkpoint and base)")
    return parser.parse_args(arguments)


def tasks_of(given: list[str]) -> dict[str, str]:
    """Instructions by task name."""
    tasks = {}
    for entry in given or [f"search={WEB_SEARCH}"]:
        name, equals, instruction = entry.partition("=")
        if not equals or not 1 <= len(name) <= 128:
            raise Problem(f"--task {entry} must be NAME=INSTRUCTION, with a name of 1 to 128 characters.")
        if name in tasks:
            raise Problem(f"--task {name} is given twice.")
        tasks[name] = instruction
    return tasks


def check_numbers(options: argparse.Namespace) -> None:
    for name, least, most in (
        ("max_tokens", 8, 1 << 17),
        ("max_query_tokens", 1, 512),
        ("top_k", 1, 65_536),
    ):
        value = getattr(options, name)
        if not least <= value <= most:
            raise Problem(f"--{name.replace('_', '-')} must be from {least} to {most}, not {value}.")
    if options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        raise Problem(f"{options.out} exists and is not an empty folder.")


def run(options: argparse.Namespace) -> None:
    check_numbers(options)
    tasks = tasks_of(options.task)
    # The libraries take seconds to load; a wrong option is said before.
    from checkpoint import last_part, load
    from folder import Settings, query_prompt, write
    from tokens import prepare
    from verify import verify

    say(f"reading {options.checkpoint}")
    checkpoint = load(options.checkpoint, options.base, options.another_base)
    config = checkpoint.model.config
    tokens = prepare(checkpoint.tokenizer, config.model_type, not options.keep_case)
    rows = checkpoint.model.get_input_embeddings().weight.shape[0]
    if tokens.vocabulary > rows:
        raise Problem(f"The tokenizer has {tokens.vocabulary} tokens and the model has rows for {rows}.")
    if options.max_tokens > config.max_position_embeddings:
        raise Problem(f"--max-tokens is {options.max_tokens}; the model takes {config.max_position_embeddings}.")
    if options.cut is not None and (options.cut % 8 != 0 or not 8 <= options.cut < config.hidden_size):
        raise Problem(f"--cut must be a multiple of 8 from 8 to below {config.hidden_size}, not {options.cut}.")
    prompts = {name: query_prompt(instruction) for name, instruction in tasks.items()}
    for name, prompt in prompts.items():
        count = len(tokens.ids(prompt))
        if count > options.max_tokens // 2:
            raise Problem(
                f"The prompt of task {name} takes {count} tokens, "
                f"more than half of the {options.max_tokens} of an input."
            )
    names = [name for name in (checkpoint.adapter, checkpoint.base) if name is not None]
    settings = Settings(
        name=options.name or last_part(options.checkpoint),
        licence=options.licence,
        source=options.source or " on ".join(names),
        precision=options.precision,
        external=options.external,
        max_tokens=options.max_tokens,
        max_query_tokens=options.max_query_tokens,
        top_k=options.top_k,
        cut=options.cut,
        tasks=tasks,
    )

    # Nothing stands under the folder's name before it has been verified.
    unfinished = options.out.with_name(f"{options.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        say(f"writing {options.precision} weights")
        write(unfinished, checkpoint, tokens, settings)
        say("comparing with PyTorch")
        found = verify(unfinished, checkpoint, tokens, options.precision, options.max_tokens, list(prompts.values()))
        if options.out.exists():
            options.out.rmdir()
        unfinished.rename(options.out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    size = sum(file.stat().st_size for file in options.out.iterdir())
    say(
        f"{options.out}: {size / 1e6:,.1f} MB, {tokens.vocabulary:,} tokens, {config.hidden_size:,} dimensions. "
        f"Greatest difference from PyTorch: a value of a unit vector {found.value:.2g} "
        f"(cosine {1 - found.distance**2 / 2:.5f}), impacts {found.impact:.2g}; with the batch {found.batch:.2g}."
    )


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        run(parse(sys.argv[1:]))
    except Problem as problem:
        say(f"error: {problem}")
        sys.exit(1)
