/* troupe export: a run's weights, or any model, into a Hugging Face folder or a .gguf file. */
#include "launch/model_copy.h"
#include "launch/verb.h"

static int run(int argc, char **argv)
{
    ModelCopy c = {.runs = true, .gguf = true};
    return model_copy_run(&c, "SOURCE DESTINATION",
                          "Writes a model for other programs. SOURCE is a run's folder (its newest "
                          "whole checkpoint), a checkpoint, a Hugging Face folder "
                          "or a .gguf file. DESTINATION is a new Hugging Face folder (for "
                          "transformers) or, where it ends in .gguf, one file (for "
                          "llama.cpp). In .gguf files norms and biases are always f32."
                          "\vExample: troupe export runs/arithmetic arithmetic.gguf --dtype q8_0",
                          argc, argv);
}

const Verb verb_export = {"export", "a run's weights or a model, for transformers or llama.cpp", 91,
                          run};
