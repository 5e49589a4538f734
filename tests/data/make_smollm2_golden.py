"""Golden log-probabilities (f32) and gradients (autograd in float64) of SmolLM2-135M-Instruct from transformers, for tests/common/test_smollm2.c.

    python make_smollm2_golden.py MODEL_FOLDER OUT.json

A small tree: one prompt and two answers, at least 200 answer tokens together. The loss is minus the mean log-probability of the answers' tokens; both
sequences are run separately and their gradients add. Kept for each parameter: the gradient's norm, its 8 largest entries, and 12 drawn ones. `exact` are
the same log-probabilities from a float64 pass, to show how far f32 itself is.
"""
import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

PROMPT = [{"role": "user", "content": "Why do rivers bend, and what happens to the two banks over the years?"}]
ANSWERS = [
    "A river seldom runs straight for long. Where the ground gives way a little on one side, the current leans towards it, and the water on the outer side "
    "of the curve has further to go and flows faster. It wears the outer bank away and carries the sand downstream. On the inner side the water is slow, so "
    "that sand and gravel settle there and build a low, flat point. In this way the bend grows wider each year, until at last a flood cuts through its narrow "
    "neck and leaves the old loop behind as a quiet lake. In 1876 the town of 12,450 people lost 37 houses that way.",
    "Because 3 + 4 = 7 is always true, but a bank of clay isn't! First: faster water erodes the outside. Second: slower water drops silt on the inside. "
    "After a hundred years (or less) the channel has moved sideways by some 250 metres; fences, roads and even bridges must follow it. Engineers may line "
    "the outer bank with stones, yet the river then digs deeper, or it starts the same work again a mile further down the valley.",
]


def sequences(tok):
    prompt = tok.apply_chat_template(PROMPT, add_generation_prompt=True, return_dict=False)
    end = tok.convert_tokens_to_ids("<|im_end|>")
    return prompt, [tok(a, add_special_tokens=False)["input_ids"] + [end] for a in ANSWERS]


def logprobs(model, prompt, answer):
    lp = torch.log_softmax(model(input_ids=torch.tensor([prompt + answer])).logits[0], dim=-1)
    at = torch.arange(len(prompt) - 1, len(prompt) + len(answer) - 1)
    return lp[at, torch.tensor(answer)]


def gradient_row(name, g, generator):
    flat = g.reshape(-1)
    top = flat.abs().topk(min(8, flat.numel())).indices
    drawn = torch.randint(flat.numel(), (12,), generator=generator)
    index = sorted(set(top.tolist() + drawn.tolist()))
    return {"name": name, "norm": float(flat.double().norm()), "index": index,
            "value": [float("%.7g" % flat[i].item()) for i in index]}


def main(folder, out):
    torch.manual_seed(0)
    tok = AutoTokenizer.from_pretrained(folder)
    prompt, answers = sequences(tok)
    n = sum(len(a) for a in answers)
    assert n >= 200, n
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    rows = [logprobs(model, prompt, a) for a in answers]
    loss = -sum(r.sum() for r in rows) / n
    loss.backward()
    single = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    model = model.double()
    exact = [logprobs(model, prompt, a) for a in answers]
    (-sum(r.sum() for r in exact) / n).backward()
    generator = torch.Generator().manual_seed(1)
    gradients = [gradient_row(name, p.grad, generator) for name, p in model.named_parameters()]
    print("tokens", n, "loss", loss.item(), "f32 against f64: log-probabilities",
          max((a.double() - b).abs().max().item() for a, b in zip(rows, exact)), "gradients",
          max(((single[name].double() - p.grad).norm() / p.grad.norm()).item() for name, p in model.named_parameters()))
    golden = {"prompt": prompt, "answers": answers, "loss": loss.item(),
              "logprobs": [[float("%.8g" % v) for v in r.tolist()] for r in rows],
              "exact": [[float("%.8g" % v) for v in r.tolist()] for r in exact],
              "gradients": gradients}
    with open(out, "w") as f:
        json.dump(golden, f, separators=(",", ":"))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
