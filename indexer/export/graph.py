"""
A Llama or Qwen2 decoder as an ONNX graph with both outputs: hidden states and pooled impacts.

The graph is written by hand rather than traced, for three reasons: the weights go to the file one
by one, the maximum over positions is taken in a loop, so that `[batch, sequence, vocabulary]` never exists,
and matrices can be in half precision or 8 bits while sums, norms and exponentials stay in float32.
"""

import numpy as np
from onnx import ModelProto, TensorProto, helper

from weights import BLOCK, Weights, as_numpy

OPSET = 21
# What the indexer's runtime reads at least; the library would write a newer one by itself.
IR_VERSION = 10
# Tokens whose logits exist at once: 67 MB of float32 for 4,096 positions, enough to keep a GPU busy.
VOCABULARY_CHUNK = 4096
LEAST = float(np.finfo(np.float32).min)


class Nodes:
    """Nodes of a graph or of a loop's body, in order."""

    def __init__(self, weights: Weights, prefix: str = ""):
        self.weights = weights
        self.prefix = prefix
        self.list = []

    def op(self, kind: str, *inputs: str, outputs: int = 1, output: str | None = None, domain: str = "", **attributes):
        """Adds a node; its output's name, which is `output` where given, or a tuple of them."""
        stem = f"{self.prefix}{kind}_{len(self.list)}"
        names = [output or stem] if outputs == 1 else [f"{stem}.{at}" for at in range(outputs)]
        self.list.append(helper.make_node(kind, list(inputs), names, name=stem, domain=domain, **attributes))
        return names[0] if outputs == 1 else tuple(names)

    def integers(self, *values: int) -> str:
        """A constant list of int64."""
        return self.weights.add("integers." + ".".join(map(str, values)), np.array(values, np.int64))

    def integer(self, value: int) -> str:
        """A constant int64 without dimensions."""
        return self.weights.add(f"integer.{value}", np.array(value, np.int64))

    def number(self, value: float) -> str:
        """A constant float32 without dimensions."""
        return self.weights.add(f"number.{value!r}", np.array(value, np.float32))

    def cast(self, value: str, to: int) -> str:
        return self.op("Cast", value, to=to)

    def to_matmul(self, value: str) -> str:
        """A float32 value in the type in which matrices are multiplied."""
        return value if self.weights.matmul_type == TensorProto.FLOAT else self.cast(value, TensorProto.FLOAT16)

    def from_matmul(self, value: str) -> str:
        return value if self.weights.matmul_type == TensorProto.FLOAT else self.cast(value, TensorProto.FLOAT)

    def multiply(self, left: str, right: str) -> str:
        """The product of two float32 activations, in float32."""
        return self.from_matmul(self.op("MatMul", self.to_matmul(left), self.to_matmul(right)))


def build(model, vocabulary: int, weights: Weights) -> ModelProto:
    """
    The graph of a `LlamaForCausalLM` or `Qwen2ForCausalLM`, cut to the first `vocabulary` tokens.
    Inputs int64 `[batch, sequence]`, padded on the right; outputs float32.
    """
    nodes = Nodes(weights)
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
        for name in ("input_ids", "attention_mask", "pooling_mask")
    ]
    config = model.config
    shape = nodes.op("Shape", "input_ids")
    length = nodes.op("Gather", shape, nodes.integer(1))
    positions = nodes.op("Range", nodes.integer(0), length, nodes.integer(1))
    rotary = rotary_tables(nodes, model, positions)
    bias = attention_bias(nodes, positions)
    hidden = embed(nodes, as_numpy(model.model.embed_tokens.weight)[:vocabulary])
    for at, layer in enumerate(model.model.layers):
        hidden = decode(nodes, config, layer, f"layers.{at}", hidden, rotary, bias)
    final = norm(nodes, model.model.norm, "norm", hidden, output="last_hidden_state")
    pool_impacts(nodes, model, vocabulary, final, shape, positions)
    graph = helper.make_graph(
        nodes.list,
        "decoder",
        inputs,
        [
            helper.make_tensor_value_info(
                "last_hidden_state", TensorProto.FLOAT, ["batch", "sequence", config.hidden_size]
            ),
            helper.make_tensor_value_info("impacts", TensorProto.FLOAT, ["batch", vocabulary]),
        ],
        initializer=[],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="lightedge")


def embed(nodes: Nodes, table: np.ndarray) -> str:
    """Rows of the embedding table, `[batch, sequence, d]`."""
    if nodes.weights.precision != "int8-weights":
        name = nodes.weights.matrix("embed_tokens", table)
        return nodes.from_matmul(nodes.op("Gather", name, "input_ids"))
    values, scales = (nodes.op("Gather", part, "input_ids") for part in nodes.weights.blocks("embed_tokens", table))
    return unpack(nodes, values, scales, (0, 0), table.shape[1])


def unpack(nodes: Nodes, values: str, scales: str, before: tuple[int, ...], width: int) -> str:
    """Rows in float32 from their 8 bits; `before` are the dimensions before the last one."""
    steps = nodes.op("Sub", nodes.cast(values, TensorProto.FLOAT), nodes.number(128.0))
    rows = nodes.op("Mul", steps, nodes.op("Unsqueeze", scales, nodes.integers(-1)))
    padded = -(-width // BLOCK) * BLOCK
    flat = nodes.op("Reshape", rows, nodes.integers(*before, padded))
    if padded == width:
        return flat
    return nodes.op("Slice", flat, nodes.integers(0), nodes.integers(width), nodes.integers(len(before)))


def rotary_tables(nodes: Nodes, model, positions: str) -> tuple[str, str]:
    """Cosines and sines `[sequence, head]`, from the frequencies that `transformers` computes for the family."""
    rotary = model.model.rotary_emb
    frequencies = as_numpy(rotary.inv_freq)[None, :]
    places = nodes.op("Unsqueeze", nodes.cast(positions, TensorProto.FLOAT), nodes.integers(1))
    half = nodes.op("Mul", places, nodes.weights.add("rotary.frequencies", frequencies))
    angles = nodes.op("Concat", half, half, axis=-1)
    tables = nodes.op("Cos", angles), nodes.op("Sin", angles)
    scaling = float(rotary.attention_scaling)
    if scaling == 1.0:
        return tables
    return tuple(nodes.op("Mul", table, nodes.number(scaling)) for table in tables)


def attention_bias(nodes: Nodes, positions: str) -> str:
    """0 where a position may look at another, else the least number: `[batch, 1, 1, sequence, sequence]`."""
    row = nodes.op("Unsqueeze", positions, nodes.integers(1))
    causal = nodes.op("LessOrEqual", nodes.op("Unsqueeze", positions, nodes.integers(0)), row)
    present = nodes.cast(nodes.op("Unsqueeze", "attention_mask", nodes.integers(1, 2, 3)), TensorProto.BOOL)
    return nodes.op("Where", nodes.op("And", causal, present), nodes.number(0.0), nodes.number(LEAST))


def norm(nodes: Nodes, layer, name: str, value: str, **rest) -> str:
    """Root mean square norm, in float32."""
    mean = nodes.op("ReduceMean", nodes.op("Mul", value, value), nodes.integers(-1), keepdims=1)
    root = nodes.op("Sqrt", nodes.op("Add", mean, nodes.number(float(layer.variance_epsilon))))
    return nodes.op("Mul", nodes.op("Div", value, root), nodes.weights.add(name, as_numpy(layer.weight)), **rest)


def linear(nodes: Nodes, layer, name: str, value: str) -> str:
    """A linear layer on the last axis; its sum with the bias is in float32."""
    weight = as_numpy(layer.weight)
    if nodes.weights.precision == "int8-weights":
        product = multiply_blocks(nodes, value, weight, name)
    else:
        matrix = nodes.weights.matrix(name, weight.T)
        product = nodes.from_matmul(nodes.op("MatMul", nodes.to_matmul(value), matrix))
    if layer.bias is None:
        return product
    return nodes.op("Add", product, nodes.weights.add(f"{name}.bias", as_numpy(layer.bias)))


def multiply_blocks(nodes: Nodes, value: str, weight: np.ndarray, name: str) -> str:
    """
    A product with a matrix in 8 bits. No `accuracy_level`: with 4 the processor would round activations
    to 8 bits as well, and a difference in their last bit, which the batch's size can make, becomes one
    of a whole step (0.013 in an impact, measured).
    """
    values, scales = nodes.weights.blocks(name, weight)
    out, inner = weight.shape
    sizes = {"K": inner, "N": out, "bits": 8, "block_size": BLOCK}
    return nodes.op("MatMulNBits", value, values, scales, domain="com.microsoft", **sizes)


def decode(nodes: Nodes, config, layer, name: str, hidden: str, rotary: tuple[str, str], bias: str) -> str:
    """One layer: attention and feed-forward network, each added to what came in."""
    normed = norm(nodes, layer.input_layernorm, f"{name}.input_norm", hidden)
    hidden = nodes.op("Add", hidden, attend(nodes, config, layer.self_attn, f"{name}.attention", normed, rotary, bias))
    normed = norm(nodes, layer.post_attention_layernorm, f"{name}.post_norm", hidden)
    gate = linear(nodes, layer.mlp.gate_proj, f"{name}.gate", normed)
    up = linear(nodes, layer.mlp.up_proj, f"{name}.up", normed)
    active = nodes.op("Mul", nodes.op("Mul", gate, nodes.op("Sigmoid", gate)), up)
    return nodes.op("Add", hidden, linear(nodes, layer.mlp.down_proj, f"{name}.down", active))


def attend(nodes: Nodes, config, layer, name: str, value: str, rotary: tuple[str, str], bias: str) -> str:
    """Grouped-query attention: the queries of a group lie one behind the other, so keys are never copied."""
    size = layer.head_dim
    heads = config.num_attention_heads
    groups = config.num_key_value_heads

    def split(projection, part: str, count: int) -> str:
        flat = linear(nodes, projection, f"{name}.{part}", value)
        apart = nodes.op("Reshape", flat, nodes.integers(0, 0, count, size))
        return nodes.op("Transpose", apart, perm=[0, 2, 1, 3])

    queries = rotate(nodes, split(layer.q_proj, "q", heads), size, rotary)
    keys = rotate(nodes, split(layer.k_proj, "k", groups), size, rotary)
    values = split(layer.v_proj, "v", groups)
    scaled = nodes.op("Mul", queries, nodes.number(size**-0.5))
    # Sequence lengths are not constants, so shapes of one unknown are put together from that of the keys.
    by_group = nodes.op("Reshape", scaled, nodes.integers(0, groups, -1, size))
    scores = nodes.multiply(by_group, nodes.op("Transpose", keys, perm=[0, 1, 3, 2]))
    length = nodes.op("Slice", nodes.op("Shape", keys), nodes.integers(2), nodes.integers(3), nodes.integers(0))
    square = nodes.op("Concat", nodes.integers(0, groups, heads // groups), length, length, axis=0)
    masked = nodes.op("Add", nodes.op("Reshape", scores, square), bias)
    chances = nodes.op("Softmax", masked, axis=-1)
    rows = nodes.op("Concat", nodes.integers(0, groups, -1), length, axis=0)
    mixed = nodes.multiply(nodes.op("Reshape", chances, rows), values)
    apart = nodes.op("Concat", nodes.integers(0, heads), length, nodes.integers(size), axis=0)
    together = nodes.op("Transpose", nodes.op("Reshape", mixed, apart), perm=[0, 2, 1, 3])
    return linear(nodes, layer.o_proj, f"{name}.o", nodes.op("Reshape", together, nodes.integers(0, 0, heads * size)))


def rotate(nodes: Nodes, value: str, size: int, rotary: tuple[str, str]) -> str:
    """Rotary positions on `[batch, heads, sequence, size]`: halves of a head are turned against each other."""
    first, second = nodes.op("Split", value, outputs=2, axis=-1, num_outputs=2)
    turned = nodes.op("Concat", nodes.op("Neg", second), first, axis=-1)
    cos, sin = rotary
    return nodes.op("Add", nodes.op("Mul", value, cos), nodes.op("Mul", turned, sin))


def pool_impacts(nodes: Nodes, model, vocabulary: int, hidden: str, shape: str, positions: str) -> None:
    """
    `log1p(relu(max))` of the logits over the positions of `pooling_mask`, for some tokens of the
    vocabulary at a time, so that `[batch, sequence, vocabulary]` never exists. Hidden states elsewhere
    become 0, whose logits are 0, which is what relu makes of a maximum below: so nothing of the size of
    logits is ever masked. A mask of zeros costs nothing and gives zeros.
    """
    chunk = min(VOCABULARY_CHUNK, vocabulary)
    mask = nodes.op("Unsqueeze", nodes.cast("pooling_mask", TensorProto.BOOL), nodes.integers(2))
    ends = nodes.op("Mul", "pooling_mask", nodes.op("Add", positions, nodes.integer(1)))
    end = nodes.op("ReduceMax", ends, nodes.integers(0, 1), keepdims=0)
    # Only up to the last position that counts in any text.
    cut = (nodes.integers(0), nodes.op("Unsqueeze", end, nodes.integers(0)), nodes.integers(1))
    kept = nodes.op("Where", nodes.op("Slice", mask, *cut), nodes.op("Slice", hidden, *cut), nodes.number(0.0))
    counts = nodes.op("Slice", nodes.op("Shape", kept), *(nodes.integers(at) for at in (0, 2, 0)))
    nodes.op("Concat", counts, nodes.integers(chunk), axis=0, output="logits_shape")
    # With no position left there are no rows to say how many values -1 stands for, but no pass either.
    rows = nodes.op(
        "Reshape",
        kept,
        nodes.op("Concat", nodes.op("ReduceProd", counts), nodes.integers(model.config.hidden_size), axis=0),
        allowzero=1,
    )
    nodes.op("Identity", nodes.to_matmul(rows), output="pooled_rows")
    passes = nodes.op("Mul", nodes.op("Min", end, nodes.integer(1)), nodes.integer(-(-vocabulary // chunk)))
    body = chunk_body(nodes.weights, model, vocabulary, chunk)
    always = nodes.weights.add("true", np.array(True))
    _, greatest = nodes.op("Loop", passes, always, nodes.number(0.0), outputs=2, body=body)

    # The last chunk reaches back over the one before it, so that all have one size.
    batch = nodes.op("Slice", shape, *(nodes.integers(at) for at in (0, 1, 0)))
    width = nodes.op("Unsqueeze", nodes.op("Mul", passes, nodes.integer(chunk)), nodes.integers(0))
    flat = nodes.op(
        "Reshape",
        nodes.op("Transpose", greatest, perm=[1, 0, 2]),
        nodes.op("Concat", batch, width, axis=0),
        allowzero=1,
    )
    first = nodes.op("Slice", flat, *(nodes.integers(at) for at in (0, vocabulary - chunk, 1)))
    last = nodes.op("Slice", flat, *(nodes.integers(at) for at in (-chunk, vocabulary + chunk, 1)))
    missing = nodes.op(
        "Mul", nodes.op("Sub", nodes.integer(1), nodes.op("Min", end, nodes.integer(1))), nodes.integer(vocabulary)
    )
    sizes = nodes.op("Concat", batch, nodes.op("Unsqueeze", missing, nodes.integers(0)), axis=0)
    logits = nodes.op("Concat", first, last, nodes.op("Expand", nodes.number(0.0), sizes), axis=1)
    above = nodes.op("Max", logits, nodes.number(0.0))
    nodes.op("Log", nodes.op("Add", above, nodes.number(1.0)), output="impacts")


def chunk_body(weights: Weights, model, vocabulary: int, chunk: int):
    """One pass over all rows: the greatest logit `[batch, chunk]` of some tokens of the vocabulary."""
    body = Nodes(weights, prefix="loop.")
    start = body.op("Min", body.op("Mul", "loop.pass", body.integer(chunk)), body.integer(vocabulary - chunk))
    bounds = [body.op("Unsqueeze", at, body.integers(0)) for at in (start, body.op("Add", start, body.integer(chunk)))]
    table = model.lm_head.weight
    # A head that is the embedding table again is one tensor in the graph, too.
    name = "embed_tokens" if table is model.model.embed_tokens.weight else "lm_head"
    weight = as_numpy(table)[:vocabulary]
    if weights.precision == "int8-weights":
        values, scales = (body.op("Slice", part, *bounds, body.integers(0)) for part in weights.blocks(name, weight))
        matrix = unpack(body, values, scales, (chunk,), weight.shape[1])
    else:
        matrix = body.op("Slice", weights.matrix(name, weight), *bounds, body.integers(0))
    logits = body.op("Reshape", body.op("Gemm", "pooled_rows", matrix, transB=1), "logits_shape")
    greatest = body.op("ReduceMax", logits, body.integers(1), keepdims=0)
    body.op("Identity", body.from_matmul(greatest), output="loop.greatest")
    body.op("Identity", "loop.going", output="loop.on")
    body.op("Identity", "loop.before", output="loop.after")

    def value(name: str, kind: int, dimensions: list):
        return helper.make_tensor_value_info(name, kind, dimensions)

    # A loop must carry something where onnxruntime counts its outputs; a number that nobody reads will do.
    return helper.make_graph(
        body.list,
        "vocabulary",
        [
            value("loop.pass", TensorProto.INT64, []),
            value("loop.going", TensorProto.BOOL, []),
            value("loop.before", TensorProto.FLOAT, []),
        ],
        [
            value("loop.on", TensorProto.BOOL, []),
            value("loop.after", TensorProto.FLOAT, []),
            value("loop.greatest", TensorProto.FLOAT, ["batch", chunk]),
        ],
    )
