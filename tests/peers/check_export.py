"""Do other programs load what `troupe export` writes, and compute the same with it?

    python3 tests/peers/check_export.py build/release/troupe models/SmolLM2-135M-Instruct.Q4_1.gguf [REFERENCE_FOLDER]

Exports the model as Hugging Face folders (F32, F16, BF16) and GGUF files (F32, F16, BF16, Q8_0) into a temporary folder. transformers loads each
folder: weights, ids of some texts and logits are compared with REFERENCE_FOLDER (the same model as transformers reads it; default: the GGUF file read
by transformers). llama.cpp loads each file: ids and logits likewise, and the chat template. TROUPE_ALSO may name further sources, with colons between them (a run's folder,
the small models of build/release/tests/make_models), whose two exports are compared with each other. Prints a line for each check; exit status 1 if one failed. Run by hand: needs torch, transformers, gguf and llama-cpp-python.
"""
import copy
import ctypes
import json
import os
import subprocess
import sys
import tempfile

import gguf
import llama_cpp
import numpy as np
import torch
from llama_cpp import Llama
from transformers import AutoModelForCausalLM, AutoTokenizer

TEXTS = ["Once upon a time, there was a little girl named Lily.", "  spaces,\ttabs\n\nand 12345.678 numbers",
         "caf\u00e9 na\u00efve \u65e5\u672c\u8a9e \U0001f600", "<|im_start|>user\nHello<|im_end|>\n", "don't won't I'LL"]
failed = 0


def check(what, good, detail=""):
    global failed
    failed += not good
    print("%-4s %s %s" % ("ok" if good else "FAIL", what, detail), flush=True)


def hf_logits(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].float().numpy()


def log_softmax(x):
    x = x.astype(np.float64)
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def compare(what, got, want, bound):
    worst = np.abs(log_softmax(got) - log_softmax(want))
    kl = (np.exp(log_softmax(want)) * (log_softmax(want) - log_softmax(got))).sum(-1).max()
    check(what, kl < bound, "worst KL of a position %.2e (bound %.0e), worst log-probability difference %.2e" % (kl, bound, worst.max()))


def export(program, source, to, dtype):
    subprocess.run([program, "export", source, to, "--dtype", dtype], check=True, stdout=subprocess.DEVNULL)


def check_folder(program, source, work, dtype, reference, tokenizer, logits):
    to = os.path.join(work, dtype)
    export(program, source, to, dtype)
    model = AutoModelForCausalLM.from_pretrained(to, dtype=torch.float32).eval()
    got, want = model.state_dict(), reference.state_dict()
    same = got.keys() == want.keys()
    cast = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[dtype]
    exact = same and all(torch.equal(got[k], want[k].to(cast).float()) for k in want)
    check("transformers %s: every weight has the reference's bits" % dtype, exact)
    ours = AutoTokenizer.from_pretrained(to)
    check("transformers %s: ids" % dtype, all(ours.encode(t) == tokenizer.encode(t) for t in TEXTS))
    chat = [{"role": "user", "content": "Hi"}]
    check("transformers %s: chat template" % dtype,
          ours.apply_chat_template(chat, tokenize=False) == tokenizer.apply_chat_template(chat, tokenize=False))
    for key in ("vocab_size", "bos_token_id", "eos_token_id", "tie_word_embeddings", "rms_norm_eps", "max_position_embeddings"):
        a, b = getattr(model.config, key), getattr(reference.config, key)
        check("transformers %s: config %s" % (dtype, key), a == b or (isinstance(a, float) and abs(a - b) < 1e-12), "%r %r" % (a, b))
    rounded = copy.deepcopy(reference)
    for p in rounded.parameters():  # not .to(): that would round the rotary frequencies too, which are no weights
        p.data = p.data.to(cast).float()
    check("transformers %s: logits are those of the reference in this type" % dtype,
          np.array_equal(hf_logits(model, logits[0]), hf_logits(rounded, logits[0])))


def check_file(program, source, work, dtype, tokenizer, logits):
    to = os.path.join(work, dtype + ".gguf")
    export(program, source, to, dtype)
    model = Llama(to, n_ctx=128, n_threads=2, logits_all=True, verbose=False)
    for t in TEXTS:
        a, b = model.tokenize(t.encode(), add_bos=False, special=True), tokenizer.encode(t)
        check("llama.cpp %s: ids of %r" % (dtype, t[:20]), a == b, "" if a == b else "%r %r" % (a, b))
    check("llama.cpp %s: end of text" % dtype, model.token_eos() == tokenizer.eos_token_id)
    check("llama.cpp %s: chat template" % dtype, model.metadata.get("tokenizer.chat_template") == tokenizer.chat_template)
    model.eval(logits[0])
    got = np.array(model.scores[:len(logits[0])])
    if dtype == "q8_0":
        check_quantised(to, os.path.join(work, "f32.gguf"), os.path.join(work, "theirs.gguf"), logits[0], got)
    else:
        compare("llama.cpp %s: logits" % dtype, got, logits[1], {"f32": 1e-4, "f16": 1e-3, "bf16": 1e-2}[dtype])


def check_quantised(ours, plain, theirs, ids, logits):
    """Eight bits move logits too far for a bound that means something: our file must hold what llama.cpp's own quantiser makes of the F32 file."""
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0
    params.nthread = 2
    check("llama.cpp quantises our F32 file", llama_cpp.llama_model_quantize(plain.encode(), theirs.encode(), ctypes.byref(params)) == 0)
    a, b = ({t.name: t for t in gguf.GGUFReader(f).tensors} for f in (ours, theirs))
    check("q8_0: the same tensors", a.keys() == b.keys())
    other = [n for n in a if a[n].tensor_type != b[n].tensor_type or not np.array_equal(a[n].data, b[n].data)]
    check("q8_0: every block has the bits of llama.cpp's quantiser", not other, "%d of %d differ %s" % (len(other), len(a), other[:3]))
    model = Llama(theirs, n_ctx=128, n_threads=2, logits_all=True, verbose=False)
    model.eval(ids)
    check("q8_0: the same logits", np.array_equal(np.array(model.scores[:len(ids)]), logits))


def check_pair(program, source, work):
    to, folder = os.path.join(work, "model.gguf"), os.path.join(work, "model")
    export(program, source, to, "f32")
    export(program, source, folder, "f32")
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with open(os.path.join(folder, "tokenizer.json")) as f:  # len(tokenizer) counts what transformers adds by itself for a Qwen2 model
        written = json.load(f)
    known = set(written["model"]["vocab"].values()) | {t["id"] for t in written["added_tokens"]}
    ids = sorted(known)[:20]
    text = tokenizer.decode(ids)
    check("%s: transformers gives ids back" % source, tokenizer.encode(text) == ids)
    model = Llama(to, n_ctx=128, n_threads=2, logits_all=True, verbose=False)
    check("%s: llama.cpp gives ids back" % source, model.tokenize(text.encode(), add_bos=False, special=True) == ids)
    model.eval(ids)
    compare("%s: llama.cpp logits against transformers" % source, np.array(model.scores[:len(ids)]), hf_logits(reference, ids), 1e-4)


def main():
    program, source = sys.argv[1:3]
    if len(sys.argv) > 3:
        reference = AutoModelForCausalLM.from_pretrained(sys.argv[3], dtype=torch.float32).eval()
        tokenizer = AutoTokenizer.from_pretrained(sys.argv[3])
    else:
        folder, name = os.path.split(source)
        reference = AutoModelForCausalLM.from_pretrained(folder or ".", gguf_file=name, dtype=torch.float32).eval()
        tokenizer = AutoTokenizer.from_pretrained(folder or ".", gguf_file=name)
    ids = tokenizer.encode(" ".join(TEXTS))
    logits = ids, hf_logits(reference, ids)
    with tempfile.TemporaryDirectory() as work:
        for dtype in ("f32", "f16", "bf16"):
            check_folder(program, source, work, dtype, reference, tokenizer, logits)
        for dtype in ("f32", "f16", "bf16", "q8_0"):
            check_file(program, source, work, dtype, tokenizer, logits)
        for also in filter(None, os.environ.get("TROUPE_ALSO", "").split(":")):
            check_pair(program, also, tempfile.mkdtemp(dir=work))
    print("%d checks failed" % failed)
    return failed > 0


sys.exit(main())
