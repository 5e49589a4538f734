/* troupe import: any model that can be read, into a Hugging Face folder of its own. */
#include "launch/model_copy.h"
#include "launch/verb.h"

static int run(int argc, char **argv)
{
    ModelCopy c = {0};
    return model_copy_run(&c, "SOURCE FOLDER",
                          "Copies a model into a new Hugging Face folder (safetensors, "
                          "config.json, tokenizer.json), which experiment files can name "
                          "and other programs load. SOURCE is a .gguf file, a Hugging Face folder "
                          "or a .safetensors file. Every number is checked on "
                          "the way; a model with features that are not computed here is refused."
                          "\vExample: troupe import models/SmolLM2-135M-Instruct.Q4_1.gguf "
                          "models/smollm2 --dtype bf16",
                          argc, argv);
}

const Verb verb_import = {"import", "a model into a Hugging Face folder", 90, run};
