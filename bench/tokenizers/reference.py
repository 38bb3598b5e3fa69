"""Varied strings with the ids that the reference library gives them, a line of JSON each.

    python3 bench/tokenizers/reference.py TOKENIZER.json COUNT SEED

Needs `pip install tokenizers` (0.23.3). The strings depend on COUNT, SEED and the file alone.
"""

import json
import random
import sys
import unicodedata

from tokenizers import Tokenizer

BATCH = 2000
SCRIPTS = [
    (0x20, 0x7E), (0xA0, 0xFF), (0x100, 0x24F), (0x250, 0x2FF), (0x370, 0x3FF), (0x400, 0x52F), (0x530, 0x58F),
    (0x590, 0x5FF), (0x600, 0x6FF), (0x700, 0x74F), (0x900, 0x97F), (0x980, 0x9FF), (0xB80, 0xBFF), (0xC00, 0xC7F),
    (0xD00, 0xD7F), (0xE00, 0xE7F), (0xE80, 0xEFF), (0xF00, 0xFFF), (0x1000, 0x109F), (0x10A0, 0x10FF),
    (0x1100, 0x11FF), (0x1200, 0x137F), (0x1780, 0x17FF), (0x1E00, 0x1EFF), (0x1F00, 0x1FFF), (0x2000, 0x206F),
    (0x2070, 0x209F), (0x20A0, 0x20CF), (0x2100, 0x214F), (0x2150, 0x218F), (0x2190, 0x23FF), (0x2460, 0x25FF),
    (0x2600, 0x27BF), (0x3000, 0x303F), (0x3040, 0x30FF), (0x3130, 0x318F), (0x4E00, 0x9FFF), (0xA000, 0xA4CF),
    (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFB00, 0xFDFF), (0xFE00, 0xFE6F), (0xFF00, 0xFFEF), (0x10330, 0x1034F),
    (0x11000, 0x1107F), (0x113B0, 0x113E2), (0x16100, 0x16139), (0x1D400, 0x1D7FF), (0x1F300, 0x1FAFF),
    (0x20000, 0x2A6DF), (0xE0000, 0xE007F),
]
MARKS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)).startswith("M")]
SPACES = " \t\n\r\v\f\x85\xa0\u1680\u2000\u2003\u200b\u2028\u2029\u202f\u205f\u3000\ufeff\u180e"
EMOJI = [
    "\U0001F600", "\U0001F468\u200D\U0001F469\u200D\U0001F467", "\U0001F3F3\uFE0F\u200D\U0001F308", "\U0001F1E9\U0001F1EA",
    "\U0001F44D\U0001F3FD", "\u2764\uFE0F", "1\uFE0F\u20E3", "\U0001FAE0",
]
WORDS = (
    "the of and vaccine Protein inhibits don't it's we'll I'VE they'd O'Reilly x'\u017f naïve Zürich straße ﬁne "
    "İstanbul ΣΑΣ Ελλάδα привет мир שלום مرحبا नमस्ते สวัสดี こんにちは 世界 안녕하세요 한국 tokenizer's foo_bar HTTPServer "
    "camelCase snake_case 3.14159 1,000,000 2024-11-25 192.168.0.1 ½ ² ٣٤٥ 𝟘𝟙 e.g. C++ #include <vector> </s> <s> "
    "<|endoftext|> <|im_start|> <0x0A> \u2581the \u2581 Ġthe [MASK] http://example.org/?q=a&b=c%20d user@example.org"
).split(" ")
CODE = [
    "for (let i = 0; i < n; i++) {\n\t", "    return x\n\n", "if __name__ == '__main__':\r\n", "SELECT * FROM t WHERE a >= 10;",
    "\\frac{a}{b}", "<div class=\"x\">", "// ----------\n", "0xDEADBEEF", "&amp;", "}}\n}\n", "=>", "!==", "...", "'''",
]


class Strings:
    """Makes the strings. Every kind of them comes about as often."""

    def __init__(self, tokenizer, seed):
        self.random = random.Random(seed)
        vocabulary = tokenizer.get_vocab()
        self.added = [token.content for token in tokenizer.get_added_tokens_decoder().values()]
        self.tokens = [tokenizer.decode([i], skip_special_tokens=False) for i in sorted(vocabulary.values())]
        self.kinds = [
            self.words, self.words, self.code, self.script, self.mixed, self.any, self.spaces, self.marks, self.numbers,
            self.bytes, self.controls, self.emoji, self.long, self.of_tokens, self.of_tokens, self.with_added,
            self.decomposed, self.contractions, self.hangul,
        ]

    def next(self):
        return self.random.choice(self.kinds)()

    def count(self, most):
        return self.random.randint(1, most)

    def char(self):
        while True:
            code = self.random.randrange(self.random.choice((0x80, 0x3000, 0x20000, 0x110000)))
            if not 0xD800 <= code < 0xE000:
                return chr(code)

    def of(self, script):
        return "".join(chr(self.random.randint(*script)) for _ in range(self.count(8)))

    def words(self):
        return self.random.choice((" ", " ", "  ", "\n")).join(self.random.choices(WORDS, k=self.count(12)))

    def code(self):
        return "".join(self.random.choices(CODE, k=self.count(6)))

    def script(self):
        script = self.random.choice(SCRIPTS)
        return " ".join(self.of(script) for _ in range(self.count(5)))

    def mixed(self):
        return "".join(self.of(self.random.choice(SCRIPTS)) + self.random.choice(" '-\n") for _ in range(self.count(5)))

    def any(self):
        return "".join(self.char() for _ in range(self.count(20)))

    def spaces(self):
        pick = lambda: "".join(self.random.choices(SPACES, weights=[20, 5, 5, 5] + [1] * (len(SPACES) - 4), k=self.count(6)))
        return "".join(pick() + self.random.choice(("", "a", "1", "!", "é", "字", "'s")) for _ in range(self.count(6)))

    def marks(self):
        return "".join(self.random.choice((self.random.choice(MARKS), self.random.choice("aeo 1字कᄀ"))) for _ in range(self.count(16)))

    def numbers(self):
        return "".join(
            str(self.random.randrange(10 ** self.count(12))) + self.random.choice((" ", "", ".", ",", "½", "²", "٣", "௧", "𝟘", "\U00011DE0", "%"))
            for _ in range(self.count(5))
        )

    def bytes(self):
        return self.random.randbytes(self.count(40)).decode("utf-8", errors="replace")

    def controls(self):
        return "".join(self.random.choice((chr(self.random.randrange(0x20)), chr(self.random.randrange(0x7F, 0xA1)), "a", " ")) for _ in range(self.count(16)))

    def emoji(self):
        return self.random.choice(("", " ")).join(self.random.choices(EMOJI + ["\u200d", "\ufe0f", "\U0001F3FB", "a"], k=self.count(10)))

    def long(self):
        parts = self.random.choices(("ab", "a", "the", "ing", "é", "字", "0", "-", "=", "\u2581"), k=self.count(3))
        return "".join(self.random.choices(parts, k=self.count(120)))

    def of_tokens(self):
        return "".join(self.random.choices(self.tokens, k=self.count(12)))

    def with_added(self):
        parts = self.random.choices(self.added, k=self.count(3)) if self.added else []
        return "".join(self.random.choice((self.words(), self.char(), " ", "", "<", part[:-1])) + part for part in parts) + self.char()

    def decomposed(self):
        return unicodedata.normalize("NFD", self.random.choice((self.words, self.script, self.marks))())

    def contractions(self):
        ends = "s t re ve m ll d S T RE Ve M lL D \u017f \u212a r v l e".split(" ")
        return "".join(
            self.random.choice(("I", " ", "", "x", "1", "'")) + self.random.choice("''''’") + self.random.choice(ends) + self.random.choice(("", " ", "s"))
            for _ in range(self.count(6))
        )

    def hangul(self):
        return "".join(chr(self.random.choice((self.random.randint(0x1100, 0x11FF), self.random.randint(0xAC00, 0xD7A3), 0x20))) for _ in range(self.count(12)))


def main(path, count, seed):
    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    strings = Strings(tokenizer, seed)
    for start in range(0, count, BATCH):
        texts = [strings.next() for _ in range(min(BATCH, count - start))]
        for text, encoding in zip(texts, tokenizer.encode_batch_fast(texts, add_special_tokens=False)):
            sys.stdout.write(json.dumps([text, encoding.ids], separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
