"""Whether the folder gives what PyTorch gives, and gives it whatever else is in a batch."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from checkpoint import Checkpoint
from problem import Problem
from tokens import Tokens

# The greatest distance of two unit vectors, which means the same in every dimension, and difference of
# an impact that pass. float32 differs by the order of sums alone. Half precision changes a weight by up
# to 2^-11 of itself, 8 bits by 1/254 of its block's greatest; far above that is a fault, not rounding.
TOLERANCES = {"fp32": (1e-4, 1e-3), "fp16": (0.05, 0.1), "int8-weights": (0.25, 0.5)}
# As `lightedge index` will ask (indexer/encode/batch-check.ts), with room for its rounding to halves.
BATCH_TOLERANCE = 1e-3

TEXTS = [
    "Wing",
    "How do vaccines work?",
    "The first Nobel Prize in Physics was awarded in 1901 to Wilhelm Conrad Röntgen, of Germany.",
    "def open_file(path):\n    return open(path, encoding='utf-8')",
    "Zürich 北京 Москва ΟΔΟΣ 42 🌊👩‍🚀",
    "",
    "a " * 700,
]


@dataclass(frozen=True)
class Differences:
    """The greatest ones found."""

    # Of a value of a unit vector.
    value: float
    # Euclidean, between two unit vectors.
    distance: float
    impact: float
    batch: float


def reference(checkpoint: Checkpoint, tokens: Tokens, ids: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Unit vector and impacts of one input by PyTorch, as plainly as they can be written."""
    model = checkpoint.model
    with torch.no_grad():
        states = model.model(input_ids=torch.tensor([ids]), use_cache=False).last_hidden_state[0]
        vector = torch.nn.functional.normalize(states[-1], dim=0)
        impacts = torch.zeros(tokens.vocabulary)
        # The first and the last position take no part, whether or not a begin token stands there.
        for some in states[1:-1].split(16):
            if len(some) > 0:
                logits = model.lm_head(some)[:, : tokens.vocabulary]
                impacts = torch.maximum(impacts, logits.amax(dim=0))
        return vector.numpy(), torch.log1p(torch.relu(impacts)).numpy()


def encode(session: onnxruntime.InferenceSession, tokens: Tokens, inputs: list[list[int]]):
    """Unit vectors and impacts of a batch by the graph, padded on the right as the indexer does."""
    length = max(map(len, inputs))
    ids = np.full((len(inputs), length), 0, np.int64)
    attention = np.zeros_like(ids)
    pooling = np.zeros_like(ids)
    for row, input in enumerate(inputs):
        ids[row, : len(input)] = input
        attention[row, : len(input)] = 1
        pooling[row, 1 : len(input) - 1] = 1
    feeds = {"input_ids": ids, "attention_mask": attention, "pooling_mask": pooling}
    states, impacts = session.run(["last_hidden_state", "impacts"], feeds)
    last = states[np.arange(len(inputs)), [len(input) - 1 for input in inputs]]
    if not np.isfinite(last).all() or not np.isfinite(impacts).all():
        raise Problem("The graph gives numbers that are not finite. Export with --precision fp32 or int8-weights.")
    return last / np.linalg.norm(last, axis=1, keepdims=True), impacts


def verify(
    folder: Path, checkpoint: Checkpoint, tokens: Tokens, precision: str, most: int, prompts: list[str]
) -> Differences:
    """
    Runs the folder's graph with onnxruntime on the CPU beside PyTorch. Texts stand as documents, and
    rows of the query table as `[bos] prompt token [eos]`. Throws a Problem beyond the tolerances.
    """
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    inputs = [tokens.around([], tokens.ids(text), most) for text in TEXTS]
    inputs += [tokens.around(tokens.ids(prompt), [tokens.vocabulary // 2], most) for prompt in prompts]
    wanted = [reference(checkpoint, tokens, ids) for ids in inputs]
    alone = [tuple(part[0] for part in encode(session, tokens, [ids])) for ids in inputs]
    vectors, impacts = encode(session, tokens, inputs)
    together = list(zip(vectors, impacts, strict=True))
    found = Differences(
        value=greatest(alone, wanted, 0),
        distance=max(float(np.linalg.norm(a - b)) for (a, _), (b, _) in zip(alone, wanted, strict=True)),
        impact=greatest(alone, wanted, 1),
        batch=max(greatest(alone, together, 0), greatest(alone, together, 1)),
    )
    distance, impact = TOLERANCES[precision]
    for what, value, limit in (
        ("a unit vector lies away from PyTorch's", found.distance, distance),
        ("an impact differs from PyTorch's", found.impact, impact),
        ("an encoding changes with the batch", found.batch, BATCH_TOLERANCE),
    ):
        if not value <= limit:
            raise Problem(f"The graph is not written: {what} by {value:.3g}; {limit:g} is allowed with {precision}.")
    return found


def greatest(left, right, part: int) -> float:
    return max(float(np.abs(a[part] - b[part]).max()) for a, b in zip(left, right, strict=True))
