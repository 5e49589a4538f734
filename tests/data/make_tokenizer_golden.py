#!/usr/bin/env python3
"""Golden ids of Hugging Face's `tokenizers`, for tests/common/test_tokenizer.c.

    make_tokenizer_golden.py SMOLLM2_FOLDER [OUT_FOLDER]

SMOLLM2_FOLDER holds SmolLM2's tokenizer.json. Made with tokenizers 0.23.3. Writes beside this script (or into OUT_FOLDER):

  tokenizer_small.json    a trained BPE of 300 merges with the structure of Qwen's (NFC, Split, ByteLevel) and odd added tokens
  tokenizer_golden.bin    uint32 little endian: FNV-1a of (count, ids) for strings 0, 1, 2, ... of the generator below, a column
                          after the other: see `columns`. String i is encoded with special tokens recognised where i is odd.
  tokenizer_golden.jsonl  explicit strings with their ids in two of the columns, so that a failure can be read

The generator lives twice, here and in test_tokenizer.c; it reads its material from tokenizer_pieces.json. Its list "newer" has the
letters, digits and marks that Unicode got after version 14, which is that of Debian 12's PCRE2 and utf8proc, and the combining
marks after version 11 that the reference's own normaliser does not know: engines of different versions differ there, so the
generator puts U+FFFD in their place.
"""
import copy, json, os, struct, sys

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers, Regex

HERE = os.path.dirname(os.path.abspath(__file__))
PIECES = json.load(open(os.path.join(HERE, "tokenizer_pieces.json"), encoding="utf-8"))
MASK = (1 << 64) - 1
HEAD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}


def char(c):
    bad = 0xD800 <= c <= 0xDFFF or any(lo <= c <= hi for lo, hi in PIECES["newer"])
    return chr(0xFFFD if bad else c)


class Draw:
    """splitmix64"""

    def __init__(self, seed):
        self.x = seed & MASK

    def next(self):
        self.x = (self.x + 0x9E3779B97F4A7C15) & MASK
        z = self.x
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, n):
        return self.next() % n

    def pick(self, name):
        return PIECES[name][self.below(len(PIECES[name]))]

    def point(self, name):
        lo, hi = self.pick(name)
        return char(lo + self.below(hi - lo + 1))


def string(i):
    d = Draw(i * 1000003 + 17)
    kind, n, out = i % 8, 1 + d.below(14), []
    if kind <= 2:  # text and code, with a stray character now and then
        for _ in range(n):
            out.append(d.pick("texts"))
            out.append(d.pick("separators"))
            if d.below(6) == 0:
                out.append(d.point("ranges"))
    elif kind == 3:  # anything
        for _ in range(3 * n):
            out.append(d.point("ranges"))
    elif kind == 4:  # whitespace between bits of anything
        for _ in range(2 * n):
            for _ in range(d.below(6)):
                out.append(d.pick("spaces"))
            out.append(d.pick("bits"))
    elif kind == 5:  # bytes, as Latin-1
        for _ in range(5 * n):
            out.append(chr(d.below(256)))
    elif kind == 6:  # one long word: of a few letters, or of one script
        lo, hi = d.pick("ranges")
        width = min(1 + d.below(40), hi - lo + 1)
        for _ in range(20 * n * (1 + d.below(4))):
            out.append(char(lo + d.below(width)))
    else:  # numbers and bits
        for _ in range(2 * n):
            for _ in range(d.below(5)):
                out.append(d.point("digits"))
            out.append(d.pick("bits"))
    return "".join(out)


def fnv(ids):
    h = 0x811C9DC5
    for b in struct.pack(f"<{len(ids) + 1}I", len(ids), *ids):
        h = ((h ^ b) * 0x01000193) & 0xFFFFFFFF
    return h


def ids_of(t, text, special):
    t.encode_special_tokens = not special
    return t.encode(text, add_special_tokens=False).ids


def train_small():
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(HEAD + r"\p{N}" + TAIL), behavior="isolated", invert=False)
    t.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    corpus = [string(i) for i in range(0, 4000, 8)] + PIECES["texts"] * 20
    t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=256 + 300, show_progress=False,
                                                      initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    t.add_tokens([AddedToken("<tool>", normalized=False), AddedToken("<wide>", lstrip=True, rstrip=True, normalized=False),
                  AddedToken("<think>", normalized=True), AddedToken("<think>>", normalized=True)])
    return json.loads(t.to_str())


def with_pre(spec, pre, **model):
    spec = copy.deepcopy(spec)
    spec["pre_tokenizer"] = pre
    spec["model"].update(model)
    return Tokenizer.from_str(json.dumps(spec))


def split_pre(middle):
    return {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": HEAD + middle + TAIL}, "behavior": "Isolated", "invert": False},
        dict(BYTE_LEVEL, use_regex=False)]}


def main():
    folder, out = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else HERE
    smollm2 = json.load(open(os.path.join(folder, "tokenizer.json"), encoding="utf-8"))
    small = train_small()
    with open(os.path.join(out, "tokenizer_small.json"), "w", encoding="utf-8") as f:
        json.dump(small, f, ensure_ascii=False, separators=(",", ":"))
        f.write("\n")
    digits = {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, BYTE_LEVEL]}
    columns = [  # name, tokenizer, how many strings: the same list as in test_tokenizer.c
        ("smollm2", with_pre(smollm2, digits), 12000),
        ("smollm2-undivided", with_pre(smollm2, BYTE_LEVEL), 4000),
        ("small-qwen", with_pre(small, split_pre(r"\p{N}")), 4000),
        ("small-llama", with_pre(small, split_pre(r"\p{N}{1,3}"), ignore_merges=True), 4000),
        ("small-smollm", with_pre(small, digits), 4000),
    ]
    with open(os.path.join(out, "tokenizer_golden.bin"), "wb") as f:
        for _, t, n in columns:
            f.write(b"".join(struct.pack("<I", fnv(ids_of(t, string(i), i % 2 == 1))) for i in range(n)))
    explicit = PIECES["explicit"] + PIECES["texts"] + [s for s in (string(i) for i in range(200)) if len(s) < 60]
    with open(os.path.join(out, "tokenizer_golden.jsonl"), "w", encoding="utf-8") as f:
        for text in dict.fromkeys(explicit):
            row = {"text": text}
            row.update((name, ids_of(t, text, True)) for name, t, _ in columns if name in ("smollm2", "small-qwen"))
            f.write(json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
