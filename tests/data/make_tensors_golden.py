"""CRC-32 of tensors as transformers dequantises them from a GGUF file: rows of tensors_golden.h.

    python3 tests/data/make_tensors_golden.py models/SmolLM2-135M-Instruct.Q4_1.gguf > tests/data/tensors_golden.h

Needs torch, transformers and gguf.
"""
import os
import sys
import zlib

import torch
from transformers import AutoModelForCausalLM

NAMES = ["model.embed_tokens.weight", "model.norm.weight"] + [
    "model.layers.%d.%s.weight" % (layer, part)
    for layer in (0, 17, 29)
    for part in ("input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                 "post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
]

folder, name = os.path.split(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(folder or ".", gguf_file=name, dtype=torch.float32)
weights = model.state_dict()
for n in NAMES:
    w = weights[n].contiguous()
    cols = w.shape[1] if w.dim() == 2 else 1
    print('{"%s", %d, %d, 0x%08x},' % (n, w.shape[0], cols, zlib.crc32(w.numpy().tobytes())))
