"""The tokenizer as LightRetriever uses it: lower-cased, one begin and one end token around a text."""

import json
from dataclasses import dataclass

from transformers import PreTrainedTokenizerFast

from problem import Problem

# What the reference takes where a tokenizer has no token for padding.
PADS = {"qwen2": "<|im_end|>", "llama": "<|reserved_special_token_0|>"}


@dataclass(frozen=True)
class Tokens:
    """What model.json says of a tokenizer, and its file."""

    json: str
    # Whether texts are lower-cased before they reach what `json` describes.
    lowercase: bool
    vocabulary: int
    bos: str | None
    eos: str
    pad: str | None
    # The ids of a text without anything around it.
    tokenizer: PreTrainedTokenizerFast

    def ids(self, text: str) -> list[int]:
        """A text's own ids."""
        return self.tokenizer.encode(text, add_special_tokens=False)

    def around(self, prompt: list[int], text: list[int], most: int) -> list[int]:
        """An input of at most `most` tokens: begin, prompt, as much of the text as fits, end."""
        before = ([] if self.bos is None else [self.id(self.bos)]) + prompt
        return before + text[: most - len(before) - 1] + [self.id(self.eos)]

    def id(self, token: str) -> int:
        return self.tokenizer.convert_tokens_to_ids(token)


def prepare(tokenizer: PreTrainedTokenizerFast, family: str, lowercase: bool) -> Tokens:
    """The tokenizer with its case rule apart from it, and the tokens it puts around texts."""
    bos, eos = around_of(tokenizer)
    pad = tokenizer.pad_token
    if pad is None and PADS[family] in tokenizer.get_vocab():
        pad = PADS[family]
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    described = json.loads(backend.to_str())
    rest, lowers = without_lowercase(described.get("normalizer"))
    lowers = lowers or lowercase
    if lowers:
        # The same object serves for verification, so it must follow the rule that model.json will say.
        steps = [{"type": "Lowercase"}, *([] if rest is None else [rest])]
        lowering = {**described, "normalizer": {"type": "Sequence", "normalizers": steps}}
        tokenizer._tokenizer = backend.from_str(json.dumps(lowering))
    described["normalizer"] = rest
    return Tokens(
        json=json.dumps(described, ensure_ascii=False),
        lowercase=lowers,
        vocabulary=max(tokenizer.get_vocab().values()) + 1,
        bos=bos,
        eos=eos,
        pad=pad,
        tokenizer=tokenizer,
    )


def around_of(tokenizer: PreTrainedTokenizerFast) -> tuple[str | None, str]:
    """Begin and end token: what the tokenizer itself puts around an empty text, else its own end token."""
    if tokenizer.eos_token is None:
        raise Problem("The tokenizer has no end token (eos_token), on which eos pooling stands.")
    ids = tokenizer.encode("", add_special_tokens=True)
    known = {tokenizer.bos_token_id, tokenizer.eos_token_id}
    if any(id not in known for id in ids) or len(ids) > 2:
        spelt = " ".join(tokenizer.convert_ids_to_tokens(ids))
        raise Problem(f"The tokenizer puts {spelt} around a text; one begin and one end token can be described.")
    bos = tokenizer.bos_token if tokenizer.bos_token_id in ids[:1] else None
    # Where one token is both, a single one stands at the end.
    if bos is not None and bos == tokenizer.eos_token and len(ids) == 1:
        bos = None
    return bos, tokenizer.eos_token


def without_lowercase(normalizer: dict | None) -> tuple[dict | None, bool]:
    """
    A normalizer without lower-casing as its first step, and whether it had it. The reference writes it
    into the tokenizer of a checkpoint (`_edit_gpt_normalizers`); model.json says it in a field of its own.
    """
    if normalizer is None or normalizer["type"] == "Lowercase":
        return None, normalizer is not None
    if normalizer["type"] != "Sequence":
        return normalizer, False
    steps = normalizer["normalizers"]
    lowers = bool(steps) and steps[0]["type"] == "Lowercase"
    rest = steps[1:] if lowers else steps
    if len(rest) > 1:
        return {"type": "Sequence", "normalizers": rest}, lowers
    return (rest[0] if rest else None), lowers
