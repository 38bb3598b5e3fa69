import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
DECODER = ROOT.parent / "shared" / "models" / "tiny-decoder"
EMBEDDED = ROOT / "models" / "minilm-splade"
TEXTS = [
    "wing",
    "",
    "How do vaccines WORK?",
    "The first Nobel Prize in Physics was awarded in 1901 to Wilhelm Conrad Röntgen, of Germany.",
    "def open_file(path):\n    return open(path, encoding='utf-8')",
    "Zürich 北京 Москва 42",
    "Glaciers are rivers of ice that grind valleys into the shape of the letter U. " * 20,
    "!",
]
SHOWN = 10


class Model:
    def __init__(self, folder, description):
        self.description = description
        self.tokenizer = Tokenizer.from_file(str(folder / description["tokenizer"]["file"]))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.graphs = [
            (graph, onnxruntime.InferenceSession(str(folder / graph["file"]), providers=["CPUExecutionProvider"]))
            for graph in description["graphs"]
        ]
        special = description["special_tokens"]
        self.special = {name: special[name] and self.tokenizer.token_to_id(special[name]) for name in special}

    def ids(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def positions(self, role, text):
        bos = [] if self.special["bos"] is None else [self.special["bos"]]
        eos = [] if self.special["eos"] is None else [self.special["eos"]]
        task = next(iter(self.description["tasks"].values()))
        prompt = self.ids(task[f"{role}_prompt"])
        own = self.ids(text)[: self.description["max_tokens"] - len(bos) - len(eos) - len(prompt)]
        kinds = ["special"] * len(bos) + ["prompt"] * len(prompt) + ["own"] * len(own) + ["special"] * len(eos)
        rules = self.description["sparse"]["mask"]
        pooled = [0 if kind in rules else 1 for kind in kinds]
        if "first" in rules:
            pooled[0] = 0
        if "last" in rules:
            pooled[-1] = 0
        return bos + prompt + own + eos, pooled

    def encode(self, role, text):
        ids, pooled = self.positions(role, text)
        feeds = {
            "input_ids": np.array([ids], dtype=np.int64),
            "attention_mask": np.ones((1, len(ids)), dtype=np.int64),
            "pooling_mask": np.array([pooled], dtype=np.int64),
        }
        for graph, session in self.graphs:
            given = {entry.name: feeds[entry.name] for entry in session.get_inputs()}
            if graph["dense"]:
                hidden = session.run([graph["dense"]], given)[0][0].astype(np.float64)
            if graph["sparse"]:
                impacts = session.run([graph["sparse"]], given)[0][0]
        pooling = self.description["pooling"]
        vector = {"mean": hidden.mean(axis=0), "cls": hidden[0], "eos": hidden[-1]}[pooling]
        if self.description["unit_length"]:
            vector = vector / np.linalg.norm(vector)
        for name, identity in self.special.items():
            if identity is not None:
                impacts[identity] = 0
        top = [int(at) for at in np.argsort(-impacts, kind="stable")[:SHOWN] if impacts[at] > 0]
        return {
            "role": role,
            "text": text,
            "ids": ids,
            "vector": [round(float(value), 5) for value in vector],
            "impacts": [[at, round(float(impacts[at]), 6)] for at in top],
        }


def write(name, value):
    lines = json.dumps(value, ensure_ascii=False).replace('{"role"', '\n{"role"')
    (HERE / name).write_text(lines + "\n", encoding="utf-8")


def embedded():
    model = Model(EMBEDDED, json.loads((EMBEDDED / "model.json").read_text(encoding="utf-8")))
    return [model.encode("document", text) for text in TEXTS]


DECODERS = {
    "the last token's vector, a prompt for queries": {
        "max_tokens": 64,
        "special_tokens": {"bos": None, "eos": "<|endoftext|>", "pad": None},
        "pooling": "eos",
        "unit_length": True,
        "tasks": {"search": {"query_prompt": "Instruct: find passages\nQuery: ", "document_prompt": ""}},
        "sparse": {"mask": ["special", "prompt", "pad"], "top_k": 64},
    },
    "both special tokens, a prompt for documents": {
        "max_tokens": 32,
        "special_tokens": {"bos": "<|im_start|>", "eos": "<|im_end|>", "pad": "<|endoftext|>"},
        "pooling": "eos",
        "unit_length": True,
        "tasks": {"search": {"query_prompt": "", "document_prompt": "passage: "}},
        "sparse": {"mask": ["first", "last"], "top_k": 64},
    },
    "the mean, not brought to length 1": {
        "max_tokens": 16,
        "special_tokens": {"bos": "<|im_start|>", "eos": None, "pad": None},
        "pooling": "mean",
        "unit_length": False,
        "tasks": {"search": {"query_prompt": "q: ", "document_prompt": "d: "}},
        "sparse": {"mask": ["prompt"], "top_k": 64},
    },
    "the first token's vector, nothing masked": {
        "max_tokens": 16,
        "special_tokens": {"bos": None, "eos": "<|endoftext|>", "pad": None},
        "pooling": "cls",
        "unit_length": True,
        "tasks": {"search": {"query_prompt": "", "document_prompt": ""}},
        "sparse": {"mask": [], "top_k": 64},
    },
}


def decoders():
    made = []
    for name, rules in DECODERS.items():
        description = {
            "format": 1,
            "name": "tiny-decoder",
            "licence": "Apache-2.0",
            "source": "random weights",
            "tokenizer": {"file": "tokenizer.json", "lowercase": False},
            "vocabulary": 49152,
            "dimension": 64,
            "graphs": [{"file": "model.onnx", "dense": "last_hidden_state", "sparse": "impacts"}],
            "prior": None,
            **rules,
        }
        model = Model(DECODER, description)
        cases = [
            model.encode(role, text)
            for role in ("query", "document")
            for text in (TEXTS[0], TEXTS[2], TEXTS[3], TEXTS[5], TEXTS[6])
        ]
        made.append({"rules": name, "description": description, "cases": cases})
    return made


for which in sys.argv[1:]:
    write(f"{which}.json", {"minilm-splade": embedded, "tiny-decoder": decoders}[which]())
