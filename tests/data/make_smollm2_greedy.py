#!/usr/bin/env python3
"""Golden greedy continuations of SmolLM2-135M-Instruct, by transformers in f32.

    make_smollm2_greedy.py MODEL_FOLDER > tests/data/smollm2_greedy.json

MODEL_FOLDER is a Hugging Face folder with the weights of the GGUF that launch/fetch-smollm2 gets (dequantised). Text is continued as it
stands, without a chat template. `margin` is the smallest lead of a chosen token's logit over the next best: it shows that a difference
of rounding cannot change a token.
"""
import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

PROMPTS = [
    "The capital of France is",
    "Water boils at",
    "def fibonacci(n):\n",
    "Question: What is 12 + 30?\nAnswer:",
    "The sun rises in the east and",
]


def main():
    folder = sys.argv[1]
    tok = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    out = []
    for prompt in PROMPTS:
        ids = tok(prompt, return_tensors="pt", add_special_tokens=False).input_ids
        with torch.no_grad():
            gen = model.generate(ids, max_new_tokens=40, do_sample=False, output_logits=True,
                                 return_dict_in_generate=True, repetition_penalty=1.0)
        new = gen.sequences[0, ids.shape[1]:].tolist()
        margin = 1e9
        for logits in gen.logits:
            top = torch.topk(logits[0], 2).values
            margin = min(margin, float(top[0] - top[1]))
        out.append({"prompt": prompt, "prompt_ids": ids[0].tolist(), "ids": new,
                    "text": tok.decode(new), "margin": round(margin, 4)})
    json.dump(out, sys.stdout, indent=1)
    print()


main()
