"""The model folder: graph, tokenizer, model.json."""

import json
from dataclasses import dataclass
from pathlib import Path

from checkpoint import Checkpoint
from graph import build
from tokens import Tokens
from weights import MOST_INSIDE, Weights


@dataclass(frozen=True)
class Settings:
    """What the command line says of a folder."""

    name: str
    licence: str
    source: str
    precision: str
    external: bool
    max_tokens: int
    max_query_tokens: int
    top_k: int
    cut: int | None
    # Instruction by task; the first is the default.
    tasks: dict[str, str]


def query_prompt(instruction: str) -> str:
    """What the reference puts before a token of a query's table: prompts.py, get_detailed_instruct."""
    return "" if instruction == "" else f"Instruct: {instruction}\nQuery: "


def describe(checkpoint: Checkpoint, tokens: Tokens, settings: Settings) -> dict:
    """model.json, with LightRetriever's rules; docs/models.md explains the fields."""
    return {
        "format": 1,
        "name": settings.name,
        "licence": settings.licence,
        "source": settings.source,
        "tokenizer": {"file": "tokenizer.json", "lowercase": tokens.lowercase},
        "vocabulary": tokens.vocabulary,
        "dimension": checkpoint.model.config.hidden_size,
        "max_tokens": settings.max_tokens,
        "max_query_tokens": settings.max_query_tokens,
        **({} if settings.cut is None else {"cut": settings.cut}),
        "special_tokens": {"bos": tokens.bos, "eos": tokens.eos, "pad": tokens.pad},
        "graphs": [{"file": "model.onnx", "dense": "last_hidden_state", "sparse": "impacts"}],
        "pooling": "eos",
        "unit_length": True,
        "tasks": {
            name: {"query_prompt": query_prompt(instruction), "document_prompt": ""}
            for name, instruction in settings.tasks.items()
        },
        "sparse": {"mask": ["special", "prompt", "pad", "first", "last"], "top_k": settings.top_k},
        "query_table": "cached",
        "prior": None,
    }


def write(out: Path, checkpoint: Checkpoint, tokens: Tokens, settings: Settings) -> None:
    """Writes every file of the folder."""
    weights = Weights(out / "model.onnx.data", settings.precision)
    model = build(checkpoint.model, tokens.vocabulary, weights)
    weights.close(settings.external)
    model.graph.initializer.extend(weights.tensors)
    content = model.SerializeToString()
    assert len(content) <= MOST_INSIDE + (64 << 20)
    (out / "model.onnx").write_bytes(content)
    (out / "tokenizer.json").write_text(tokens.json, encoding="utf-8")
    described = json.dumps(describe(checkpoint, tokens, settings), ensure_ascii=False, indent=2)
    (out / "model.json").write_text(f"{described}\n", encoding="utf-8")
