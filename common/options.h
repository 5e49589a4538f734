/* Every option of an experiment file, declared once. config.c expands this list into the struct
 * (cfg.learner.lr), defaults, range checks, the YAML keys
 * ("learner.lr"), `--set learner.lr=3e-6`, `troupe explain` and the printed configuration. Adding
 * an option is adding a line.
 *
 *   INT   (section, name, default, least, most, "meaning")      int64_t
 *   NUM   (section, name, default, least, most, "meaning")      double
 *   BOOL  (section, name, default, "meaning")                   bool
 *   TEXT  (section, name, default, "meaning")                   char *, "" = unset
 *   CHOICE(section, name, default, "a|b|c", "meaning")          char *, one of the words
 *
 * SECTION(name, "meaning") ... END(name) enclose the options of one block of the file.
 *
 * No include guard: the file is expanded several times. The `reward:` block is a list with keys of
 * its own (rewardsvc/reward.h).
 */
SECTION(run, "what this run is called, where it is kept, how long it is")
TEXT(run, name, "", "name of the run, [A-Za-z0-9._-]{1,64}; default: the experiment file's stem")
TEXT(run, dir, "runs", "folder that holds the run's folder")
INT(run, seed, 1, 0, INT64_MAX,
    "with the config, the model and the kernel set it decides every token and every weight")
INT(run, steps, 100, 0, 1000000000, "optimiser steps of reinforcement learning")
INT(run, max_staleness, 0, 0, 8,
    "steps that a group's weights are behind its own: with k > 0 the groups of step s are written "
    "with the weights of step s - k (the first with those of step 0), while earlier ones are "
    "judged and learnt from; a constant, so that the run is still a number; 0 = synchronous")
NUM(run, deadline_s, 600, 5, 86400,
    "silence of a rank after which the job ends and names it (76), seconds")
BOOL(run, allow_other_kernels, false,
     "resume on a machine whose kernel set differs: recorded, bits may differ")
BOOL(run, allow_ratio_mismatch, false,
     "go on when the learner's log-probabilities differ from the rollout's: counted, recorded")
END(run)

SECTION(
    layout,
    "which rank does what; the ranks must add up to mpirun's; one process alone ignores this block")
INT(layout, workers, 0, 0, 65536,
    "colocated workers: each rolls out, then learns (then actors and learners must be 0)")
INT(layout, actors, 0, 0, 65536, "dedicated actor ranks")
INT(layout, learners, 0, 0, 65536, "dedicated learner ranks; must divide reduction_slots")
INT(layout, rewardsvc, 1, 0, 65536, "reward-service ranks")
INT(layout, threads, 0, 0, 1024,
    "threads of each rank; 0 = the cores this rank may use, shared with the ranks beside it")
END(layout)

SECTION(model, "the policy")
TEXT(model, path, "",
     "a Hugging Face folder or a .gguf file; empty: a new model for the task's alphabet (layers, "
     "width, ... below)")
CHOICE(model, precision, "bf16", "bf16|f32",
       "bf16: products of bf16 numbers, f32 sums, f32 master weights; f32: everything f32")
CHOICE(model, products, "auto", "auto|bf16|bf16_as_f32",
       "how bf16 products are computed; auto measures at the run's first start")
INT(model, layers, 3, 1, 1024, "new model: layers")
INT(model, width, 96, 8, 65536, "new model: channels")
INT(model, heads, 4, 1, 1024, "new model: attention heads")
INT(model, kv_heads, 4, 1, 1024, "new model: key/value heads")
INT(model, mlp, 256, 8, 1048576, "new model: width of the SwiGLU")
INT(model, max_positions, 512, 16, 1048576, "new model: positions")
END(model)

SECTION(task, "the problems")
TEXT(task, name, "sum", "a built-in task (sum, difference, chain, countdown, game24) or jsonl")
INT(task, digits, 3, 1, 9, "sum, difference, chain: digits of each number")
INT(task, terms, 3, 2, 16, "chain: how many numbers")
INT(task, numbers, 3, 2, 8, "countdown: how many numbers are given")
INT(task, max_number, 20, 2, 1000, "countdown: the largest of them")
NUM(task, forget_carry, 0.6, 0, 1, "demonstrator: probability of forgetting each carry or borrow")
TEXT(task, train, "", "jsonl: path of the training rows")
TEXT(task, heldout, "",
     "jsonl: path of the held-out rows; empty: every 10th row (by hash) of train")
TEXT(task, prompt_field, "question", "jsonl: the field that is asked")
TEXT(task, answer_field, "answer", "jsonl: the field with the reference answer")
TEXT(task, demo_field, "", "jsonl: the field with what sft imitates; empty: the reference answer")
TEXT(task, system, "", "system message of the chat; empty: the template's own")
TEXT(task, instruction, "", "text put before every problem, for instance the wanted format")
CHOICE(task, template, "auto", "auto|chat|raw",
       "auto: chat where the model brings a template, raw otherwise")
END(task)

SECTION(sft, "supervised cold start on the task's demonstrations, before reinforcement learning; 0 "
             "steps = none")
INT(sft, steps, 0, 0, 1000000000, "optimiser steps")
INT(sft, batch, 64, 1, 65536, "demonstrations a step")
NUM(sft, lr, 2e-3, 0, 1, "peak learning rate")
INT(sft, warmup, 0, 0, 1000000, "steps of linear warm-up")
CHOICE(sft, decay, "linear", "constant|linear|cosine",
       "shape of the learning rate after warm-up; linear and cosine end at 0")
INT(sft, demos, 0, 0, 1000000000,
    "how many different demonstrations there are; 0 = never the same twice")
END(sft)

SECTION(rollout, "how answers are written")
INT(rollout, prompts, 8, 1, 65536, "P: prompts (groups) a step")
INT(rollout, samples, 8, 1, 1024, "G: answers to each prompt")
INT(rollout, max_tokens, 128, 1, 1048576, "longest answer, tokens")
NUM(rollout, temperature, 1, 0.01, 100, "divides the logits")
INT(rollout, top_k, 0, 0, 1000000, "sample among the k most probable tokens; 0 = all")
NUM(rollout, top_p, 1, 0.0001, 1, "sample among the most probable tokens of this mass")
NUM(rollout, min_p, 0, 0, 1,
    "sample among tokens of at least this share of the largest probability")
TEXT(rollout, stop, "", "stop strings, separated by |")
BOOL(rollout, ignore_eos, false,
     "never sample end-of-text, so that every answer has max_tokens (benchmarks)")
INT(rollout, batch, 64, 1, 4096, "rows that decode together on an actor")
END(rollout)

SECTION(learner, "what is done with judged groups")
NUM(learner, lr, 1e-6, 0, 1, "peak learning rate")
INT(learner, warmup, 0, 0, 1000000, "steps of linear warm-up")
CHOICE(learner, decay, "constant", "constant|linear|cosine",
       "shape after warm-up; linear and cosine end at 0 at the last step")
NUM(learner, beta1, 0.9, 0, 1, "AdamW's first moment")
NUM(learner, beta2, 0.95, 0, 1, "AdamW's second moment")
NUM(learner, eps, 1e-8, 0, 1, "AdamW's epsilon")
NUM(learner, weight_decay, 0, 0, 10, "decoupled, on matrices only")
NUM(learner, clip_grad, 1, 0, 1e9, "largest norm of the whole gradient; 0 = off")
CHOICE(learner, advantage, "grpo", "grpo|dr_grpo|rloo|leave_one_out|reinforce",
       "grpo: (r - mean) / (std + eps); dr_grpo: r - mean; rloo: r - mean of the others; "
       "leave_one_out: that by the others' deviation, unless it is 0; reinforce: r itself, for "
       "whiten")
NUM(learner, advantage_cap, 0, 0, 1e9, "largest advantage of either sign; 0 = no cap")
BOOL(learner, whiten, false,
     "then the step's advantages are standardised over its trained tokens: (A - mean) / std")
NUM(learner, advantage_filter, 0, 0, 1e9,
    "with whiten: tokens whose standardised advantage is beyond this do not train; 0 = all do")
NUM(learner, advantage_eps, 1e-4, 0, 1, "added to the standard deviation")
NUM(learner, clip_low, 0.2, 0, 1, "ratio is clipped below 1 - clip_low")
NUM(learner, clip_high, 0.2, 0, 10, "and above 1 + clip_high")
NUM(learner, preclip, 0, 0, 1e8,
    "ratios beyond this, or its inverse, are held there and give no gradient; 0 = e^20")
NUM(learner, kl, 0, 0, 100,
    "weight of the k3 KL to the initial model; 0 = no reference model is kept")
CHOICE(learner, aggregate, "token", "token|sequence",
       "token: mean over all tokens of the step; sequence: mean over answers of their token means")
BOOL(learner, mask_truncated, false, "answers that hit max_tokens do not train")
INT(learner, epochs, 1, 1, 64, "passes over a step's groups, an optimiser step each")
INT(learner, reduction_slots, 4, 1, 64,
    "S, a power of two: the fixed tree of gradient sums; learner ranks must divide it")
NUM(learner, max_failed, 0.5, 0, 1,
    "share of samples whose scoring may fail in a step before the run stops")
CHOICE(learner, on_failure, "drop_sample", "drop_sample|drop_group",
       "a failed scoring leaves out its sample, or its whole group: then nothing of it trains")
END(learner)

SECTION(eval, "held-out accuracy: greedy, one answer a problem")
INT(eval, problems, 0, 0, 1000000, "held-out problems; 0 = no evaluation")
INT(eval, every, 0, 0, 1000000, "every n steps; 0 = only before and after")
NUM(eval, threshold, 1, -1000000, 1000000, "an answer counts as right when its reward reaches this")
TEXT(eval, component, "", "judge by this reward component instead of the sum")
END(eval)

SECTION(monitor, "is the reward over-optimised: looked at after each evaluation")
TEXT(monitor, gold, "",
     "reward component that says what is wanted (weight 0: not trained on); empty: no monitor")
TEXT(monitor, proxy, "", "component that is compared with it; empty: the reward itself")
CHOICE(monitor, on_alarm, "say", "say|stop",
       "stop: where the proxy begins to rise while gold falls the run is saved and ends (78); "
       "--resume goes on all the same")
END(monitor)

SECTION(checkpoint, "when the run is saved")
INT(checkpoint, every, 50, 0, 1000000,
    "steps between checkpoints; 0 = only at the end and on request (USR1)")
INT(checkpoint, keep, 2, 1, 1000, "newest checkpoints kept")
BOOL(checkpoint, export, true,
     "write the final weights as a Hugging Face folder, runs/<name>/model")
END(checkpoint)
