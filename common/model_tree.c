/* A group as rows: the prompt once, then each answer, every part on fresh pages so that the answers
 * can list the prompt's pages before their own. */
#include "common/errors.h"
#include "common/memory.h"
#include "common/model.h"

static int pages_of(int n)
{
    return (n + KV_PAGE - 1) / KV_PAGE;
}

static void *fresh(void *old, int count, size_t size)
{
    mem_free(old);
    return mem_zeroed((size_t)count, size);
}

static void reserve(TreeLayout *t, int n_rows, int n_segs, int n_blocks)
{
    if (n_rows > t->capacity_rows) {
        t->token = fresh(t->token, n_rows, sizeof *t->token);
        t->pos = fresh(t->pos, n_rows, sizeof *t->pos);
        t->slot = fresh(t->slot, n_rows, sizeof *t->slot);
        t->capacity_rows = n_rows;
    }
    if (n_segs > t->capacity_segs) {
        t->segs = fresh(t->segs, n_segs, sizeof *t->segs);
        t->first_row = fresh(t->first_row, n_segs, sizeof *t->first_row);
        t->capacity_segs = n_segs;
    }
    if (n_blocks > t->capacity_blocks) {
        t->blocks = fresh(t->blocks, n_blocks, sizeof *t->blocks);
        t->capacity_blocks = n_blocks;
    }
}

/* Lists the pages of n slots from `page` on; returns how many blocks. */
static int add_blocks(KvBlock *b, int page, int n)
{
    for (int i = 0; i < pages_of(n); i++) {
        int left = n - i * KV_PAGE;
        b[i] = (KvBlock){page + i, left < KV_PAGE ? left : KV_PAGE};
    }
    return pages_of(n);
}

/* n tokens from position pos on, after a context of n_context tokens in the pages 0, 1, ...;
 * returns the blocks used. */
static int add_part(TreeLayout *t, const int32_t *tokens, int n, int n_context, KvBlock *blocks)
{
    int row = t->rows.M, page = t->n_pages;
    for (int i = 0; i < n; i++) {
        t->token[row + i] = tokens[i];
        t->pos[row + i] = n_context + i;
        t->slot[row + i] = page * KV_PAGE + i;
    }
    int n_blocks = add_blocks(blocks, 0, n_context);
    n_blocks += add_blocks(blocks + n_blocks, page, n);
    t->segs[t->rows.n_segs++] = (AttnSegment){row, n, n_context + n, n_blocks, blocks};
    t->rows.M += n;
    t->n_pages += pages_of(n);
    return n_blocks;
}

void tree_layout(TreeLayout *t, const int32_t *prompt, int n_prompt, int n, const int *lengths,
                 int32_t *const *answers, bool keep_last)
{
    int n_rows = n_prompt, n_blocks = pages_of(n_prompt), shared = pages_of(n_prompt);
    REQUIRE(n_prompt >= 0 && n >= 0, "a prompt of %d tokens and %d answers", n_prompt, n);
    for (int i = 0; i < n; i++) {
        int length = lengths[i] - !keep_last;
        REQUIRE(lengths[i] >= 0, "answer %d has %d tokens", i, lengths[i]);
        if (length <= 0) continue;
        n_rows += length;
        n_blocks += shared + pages_of(length);
    }
    reserve(t, n_rows, n + 1, n_blocks);
    t->rows = (Rows){0, t->token, t->pos, t->slot, t->segs, 0};
    t->n_pages = 0;
    KvBlock *blocks = t->blocks;
    if (n_prompt) blocks += add_part(t, prompt, n_prompt, 0, blocks);
    for (int i = 0; i < n; i++) {
        int length = lengths[i] - !keep_last;
        t->first_row[i] = t->rows.M;
        if (length > 0) blocks += add_part(t, answers[i], length, n_prompt, blocks);
    }
}

void tree_layout_free(TreeLayout *t)
{
    mem_free(t->token);
    mem_free(t->pos);
    mem_free(t->slot);
    mem_free(t->segs);
    mem_free(t->blocks);
    mem_free(t->first_row);
    *t = (TreeLayout){0};
}
