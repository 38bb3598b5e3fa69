"""A checkpoint to one PyTorch decoder: base model, LoRA adapter merged into it, tokenizer."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from problem import Problem

FAMILIES = ("llama", "qwen2")
ROTARY = ("default", "linear", "llama3")


@dataclass(frozen=True)
class Checkpoint:
    """A decoder in full precision, as `transformers` runs it, and the tokenizer it was trained with."""

    model: torch.nn.Module
    tokenizer: PreTrainedTokenizerFast
    # The model hub's name or folder of the base, and of the adapter where there is one.
    base: str
    adapter: str | None


def load(checkpoint: str, base: str | None, another_base: bool = False) -> Checkpoint:
    """
    Reads a LoRA checkpoint (its base from `base`, or from what the adapter names) or a whole model.
    `another_base` lets an adapter onto a base of another name than the one it was trained on.
    Costs 4 bytes of memory a weight.
    """
    adapter = file_of(checkpoint, "adapter_config.json")
    if adapter is None:
        if file_of(checkpoint, "config.json") is None:
            raise Problem(f"{checkpoint} has neither adapter_config.json nor config.json: it is no checkpoint.")
        if base is not None:
            raise Problem(f"{checkpoint} is a whole model, not an adapter: leave out --base.")
        return Checkpoint(load_base(checkpoint), load_tokenizer(checkpoint), checkpoint, None)

    trained_on = read_json(adapter).get("base_model_name_or_path")
    base = base or trained_on
    if base is None:
        raise Problem(f"{adapter} names no base model: give --base.")
    if trained_on is not None and last_part(base) != last_part(trained_on) and not another_base:
        raise Problem(
            f"The adapter was trained on {trained_on}, and --base is {base}. "
            "If they are the same weights under two names, add --another-base."
        )
    where = checkpoint if file_of(checkpoint, "tokenizer.json") is not None else base
    tokenizer = load_tokenizer(where)
    return Checkpoint(merge(load_base(base), checkpoint, base), tokenizer, base, checkpoint)


def load_base(name: str) -> torch.nn.Module:
    """The base model in float32. Refuses what the graph cannot say."""
    path = file_of(name, "config.json")
    if path is None:
        raise Problem(f"{name} has no config.json: it is no model.")
    kind = read_json(path).get("model_type")
    if kind not in FAMILIES:
        raise Problem(f"{name} is a {kind}; only decoders of the families {' and '.join(FAMILIES)} can be exported.")
    config = AutoConfig.from_pretrained(name)
    if getattr(config, "use_sliding_window", False):
        raise Problem(f"{name} has use_sliding_window; only full causal attention can be exported.")
    rotary = (config.rope_scaling or {}).get("rope_type", "default")
    if rotary not in ROTARY:
        raise Problem(f"{name} scales rotary positions by {rotary}; {', '.join(ROTARY)} can be exported.")
    if config.hidden_act != "silu":
        raise Problem(f"{name} has the activation {config.hidden_act}; only silu can be exported.")
    try:
        model = AutoModelForCausalLM.from_pretrained(
            name, config=config, dtype=torch.float32, attn_implementation="eager"
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise Problem(f"{name} could not be read: {error}") from error
    return model.eval()


def merge(model: torch.nn.Module, adapter: str, base: str) -> torch.nn.Module:
    """The model with the adapter's weights added to its own, in float32."""
    from peft import PeftModel
    from peft.utils import load_peft_weights

    given = load_peft_weights(adapter, device="cpu")
    if not given:
        raise Problem(f"{adapter} holds no weights.")
    try:
        with_adapter = PeftModel.from_pretrained(model, adapter, torch_device="cpu")
    except (RuntimeError, ValueError, OSError, KeyError) as error:
        raise Problem(f"The adapter {adapter} does not fit {base}: {first_line(error)}") from error
    # Keys without a place are passed over in silence by the library, so they are counted here.
    places = {name.replace(".default", "") for name, _ in with_adapter.named_parameters()}
    lost = [name for name in given if name not in places]
    unset = [
        name.replace(".default", "")
        for name, _ in with_adapter.named_parameters()
        if "lora_" in name and name.replace(".default", "") not in given
    ]
    if lost or unset:
        raise Problem(
            f"The adapter {adapter} does not fit {base}: "
            f"{len(lost)} of its {len(given)} weights have no place ({', '.join(lost[:2])}), "
            f"{len(unset)} places got none ({', '.join(unset[:2])})."
        )
    return with_adapter.merge_and_unload().eval()


def load_tokenizer(name: str) -> PreTrainedTokenizerFast:
    """The fast tokenizer of a folder or hub name; it must have a tokenizer.json."""
    if file_of(name, "tokenizer.json") is None:
        raise Problem(f"{name} has no tokenizer.json; Lightedge needs one. Save the fast tokenizer beside the weights.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, use_fast=True)
    except (OSError, ValueError, KeyError) as error:
        raise Problem(f"The tokenizer of {name} could not be read: {first_line(error)}") from error
    if not tokenizer.is_fast:
        raise Problem(f"{name} has no fast tokenizer.")
    return tokenizer


def file_of(name: str, file: str) -> Path | None:
    """A file of a folder, or of a hub's repository; None where there is none."""
    folder = Path(name)
    if folder.is_dir():
        return folder / file if (folder / file).is_file() else None
    try:
        return Path(hf_hub_download(name, file))
    except LocalEntryNotFoundError as error:
        raise Problem(f"{name} is no folder here, and the model hub cannot be reached.") from error
    except EntryNotFoundError:
        return None
    except (HfHubHTTPError, HFValidationError) as error:
        raise Problem(f"{name} is no folder here, and the model hub gives none: {first_line(error)}") from error


def read_json(path: Path) -> dict:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Problem(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Problem(f"{path} is not an object.")
    return value


def last_part(name: str) -> str:
    return name.rstrip("/").split("/")[-1].lower()


def first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
