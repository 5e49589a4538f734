/* An experiment file from anyone; what follows its first NUL byte is a --set argument. A tree has
 * places and unique keys; a configuration that is accepted is printed, and what is printed is
 * accepted and means the same. Its reward block opens or is refused. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/errors.h"
#include "rewardsvc/reward.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LARGEST = 1 << 20 }; /* bytes of a file that is read */

static void check_tree(const YamlNode *n)
{
    REQUIRE(n->line >= 1 && n->column >= 1, "a value without a place");
    REQUIRE((n->kind == YAML_SCALAR) == (n->text != NULL) || !n->n, "a value of no kind");
    for (int i = 0; i < n->n; i++) {
        if (n->keys) {
            REQUIRE(n->keys[i].kind == YAML_SCALAR, "a key that is no text");
            REQUIRE(yaml_get(n, n->keys[i].text) == &n->items[i], "key %s is there twice",
                    n->keys[i].text);
        }
        check_tree(&n->items[i]);
    }
}

static void check_rewards(const Config *c)
{
    RewardBlock b;
    if (!c->reward || reward_block_open(&b, c->reward)) return;
    char *formula = reward_block_formula(&b);
    REQUIRE(b.n == c->reward->n && *formula, "%d components of %d items", b.n, c->reward->n);
    mem_free(formula);
    reward_block_close(&b);
}

static void check_print(const Config *c)
{
    Config again;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    REQUIRE(out, "no memory stream");
    config_print(c, out);
    fclose(out);
    if (size <= LARGEST) { /* escapes may have made it too long to be read */
        REQUIRE(!config_parse(&again, "again", text, NULL, 0), "what is printed is refused: %s\n%s",
                errors_last(), text);
        REQUIRE(config_hash(&again) == config_hash(c), "what is printed means something else:\n%s",
                text);
        config_free(&again);
    }
    free(text); /* the memory stream's own malloc */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_text_n((const char *)data, size), *set = mem_text_n("", 0);
    const char *sets[1] = {set};
    size_t n = strlen(text);
    Config c;
    if (n < size) {
        mem_free(set);
        sets[0] = set = mem_text_n(text + n + 1, size - n - 1);
    }
    errors_quiet(1);
    YamlNode *tree = yaml_parse("fuzz", (const char *)data, size);
    if (tree) check_tree(tree);
    yaml_close(tree);
    if (!config_parse(&c, "fuzz", text, sets, n < size)) {
        check_print(&c);
        check_rewards(&c);
        config_free(&c);
    }
    errors_quiet(-1);
    mem_free(text);
    mem_free(set);
    return 0;
}
