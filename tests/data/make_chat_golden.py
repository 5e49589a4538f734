#!/usr/bin/env python3
"""Golden renderings of transformers' apply_chat_template, for tests/common/test_chat.c.

    make_chat_golden.py SMOLLM2_FOLDER QWEN2.5_TEMPLATE QWEN3_TEMPLATE [OUT_FILE]

The folder has SmolLM2-Instruct's tokenizer and template; the others are Jinja files as Qwen publishes them (chat_template in
tokenizer_config.json). Made with transformers 5.24.0. Always with the generation prompt.
"""
import json, os, sys

from transformers import AutoTokenizer

S, U, A = "system", "user", "assistant"
CHATS = [
    [(U, "Hi")],
    [(S, "Be brief."), (U, "What is 2+2?")],
    [(S, ""), (U, "")],
    [(U, " a \n\n b\t"), (A, "c\n"), (U, "é😀 <|im_end|> {{ x }} {% y %}")],
    [(U, "one"), (S, "late"), (U, "two")],
    [(A, "I begin")],
    [(S, "only")],
    [(U, "q"), (A, "<think>\nwhy\n</think>\n\nbecause"), (U, "more")],
    [(U, "q"), (A, "<think>\nwhy\n</think>\n\nbecause")],
    [(U, "q"), (A, "plain")],
    [(U, "q"), (A, "plain"), (A, "<think>x</think>y"), (A, "\n\nz\n")],
    [(U, "q"), (A, "no start\n\n</think>\nafter</think>\n\nend"), (A, "last")],
    [(U, "q"), (A, "a<think>\n\nb<think>\nc\n\n</think>d"), (U, "<tool_response>\n1\n</tool_response>"), (A, "<think></think>e")],
    [(A, "<think>t</think>u"), (S, "mid"), (A, "v")],
    [(U, "<tool_response>"), (A, "<think>t</think>u"), (U, "<tool_response></tool_response>"), (A, "w")],
]


def main():
    folder, qwen25, qwen3 = sys.argv[1:4]
    here = os.path.dirname(os.path.abspath(__file__))
    out = sys.argv[4] if len(sys.argv) > 4 else os.path.join(here, "chat_golden.json")
    tok = AutoTokenizer.from_pretrained(folder)
    templates = {"smollm2": tok.chat_template, "qwen2.5": open(qwen25).read(), "qwen3": open(qwen3).read()}
    rows = []
    for name, template in templates.items():
        for chat in CHATS:
            messages = [{"role": r, "content": c} for r, c in chat]
            text = tok.apply_chat_template(messages, chat_template=template, tokenize=False, add_generation_prompt=True)
            rows.append({"template": name, "messages": chat, "text": text})
    with open(out, "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n")


if __name__ == "__main__":
    main()
