"""Golden values for the rewards rouge, bleu, chrf and wer, from rouge-score, sacrebleu and jiwer.

    python make_overlap_golden.py overlap_golden.json

Made with rouge-score 0.1.2, sacrebleu 2.6.0, jiwer 4.0.0. The texts are ours; the pseudo-random ones come from a small
vocabulary, so that there are matches of every order. Each row: hypothesis, references, values by the settings' names."""
import json
import random
import sys

import jiwer
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF

PAIRS = [
    ("the cat sat on the mat", ["the cat is on the mat"]),
    ("the the the the the the the", ["the cat is on the mat", "there is a cat on the mat"]),
    ("A quick brown fox.", ["A quick, brown fox jumped!"]),
    ("It costs $1,234.50, i.e. 5-10% more...", ["It cost $1,234.5; that is 5-10 % more."]),
    ("Er sagte: \u201eGr\u00fcnes aus K\u00f6ln\u201c, und ging.", ["Er sagte \u201eGr\u00fcnes aus K\u00f6ln\u201c und ging heim."]),
    ("\u6211\u4eec\u4eca\u5929\u53bb\u516c\u56ed\u3002", ["\u6211\u4eec\u660e\u5929\u53bb\u516c\u56ed\u73a9\u3002"]),
    ("don't (stop) [now] &amp; then &lt;b&gt;", ["don't stop now & then <b>"]),
    ("one", ["one"]),
    ("one two", ["one two"]),
    ("one two", ["three four"]),
    ("x", ["y"]),
    ("a b c d e f", ["a b c d e f"]),
    ("a b c d e f g h", ["a b c d", "a b x d e f g h"]),
    ("Line one\nline two-\nended", ["Line one line twoended"]),
    ("f(x) = x^2 + 3*x - 1/2", ["f(x)=x^2+3x-1/2"]),
    ("..,, -- 3-4 .5 6. ,7", ["... 3 - 4 .5 6. , 7"]),
]


def pseudo_random_pairs(n):
    rng = random.Random(4)
    words = "the a cat dog sat ran on under mat, tree. and then (again) 3.5 10-20 red blue".split()
    for _ in range(n):
        ref = [rng.choice(words) for _ in range(rng.randint(1, 90))]
        hyp = [w for w in ref if rng.random() < 0.8]
        for _ in range(rng.randint(0, 8)):
            hyp.insert(rng.randint(0, len(hyp)), rng.choice(words))
        yield " ".join(hyp) or "nothing", [" ".join(ref), " ".join(reversed(ref))][: rng.randint(1, 2)]


def row(hyp, refs):
    values = {}
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rouge3", "rougeL"], use_stemmer=False)
    for name, s in scorer.score_multi(refs, hyp).items():
        values[name] = [s.precision, s.recall, s.fmeasure]
    values["bleu_exp"] = BLEU(effective_order=True).sentence_score(hyp, refs).score / 100
    values["bleu_floor"] = BLEU(effective_order=True, smooth_method="floor").sentence_score(hyp, refs).score / 100
    values["bleu_none"] = BLEU(effective_order=True, smooth_method="none").sentence_score(hyp, refs).score / 100
    values["bleu_char"] = BLEU(effective_order=True, tokenize="char").sentence_score(hyp, refs).score / 100
    values["bleu_lower2"] = BLEU(effective_order=True, lowercase=True, max_ngram_order=2).sentence_score(hyp, refs).score / 100
    if len(hyp.split()) >= 4:
        values["bleu_add_k"] = BLEU(effective_order=True, smooth_method="add-k", smooth_value=1).sentence_score(hyp, refs).score / 100
    values["chrf"] = CHRF().sentence_score(hyp, refs).score / 100
    values["chrfpp"] = CHRF(word_order=2).sentence_score(hyp, refs).score / 100
    values["chrf_beta1_lower"] = CHRF(char_order=4, beta=1, lowercase=True).sentence_score(hyp, refs).score / 100
    if "\n" not in hyp:  # jiwer splits at blanks only, and a new line would be a part of a word
        values["wer"] = min(jiwer.wer(r, hyp) for r in refs)
        values["cer"] = min(jiwer.cer(r, hyp) for r in refs)
    return {"hypothesis": hyp, "references": refs, "values": values}


with open(sys.argv[1], "w") as f:
    rows = [row(h, r) for h, r in PAIRS + list(pseudo_random_pairs(24))]
    f.write("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n")
