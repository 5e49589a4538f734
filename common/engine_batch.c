/* See engine_batch.h. A decode step is: list the rows, one forward pass, logits and draws in chunks
 * of rows, then retire those that ended. Nothing here depends on which rows run together: a row's
 * bits are its own (ops.h), and its random number is keyed by what it is for. */
#include "common/engine_batch.h"

#include <string.h>

#include "common/stops.h"
#include "common/clock.h"
#include "common/errors.h"
#include "common/rng.h"

void batch_init(Batch *b, const Model *m, const Tokenizer *tok, int max_rows)
{
    const ModelDesc *d = model_desc(m);
    *b = (Batch){.m = m, .tok = tok, .max_rows = max_rows, .C = d->C, .V = d->V};
    b->n_logit_rows = max_rows < BATCH_LOGIT_ROWS ? max_rows : BATCH_LOGIT_ROWS;
    int pass = max_rows > BATCH_PASS_ROWS ? max_rows : BATCH_PASS_ROWS;
    b->flights = NEW(Flight, max_rows + 1);
    b->rows = NEW(Row, max_rows);
    b->flight_h = NEW(float, (size_t)(max_rows + 1) * (size_t)b->C);
    b->token = NEW(int32_t, pass);
    b->pos = NEW(int32_t, pass);
    b->slot = NEW(int32_t, pass);
    b->out = NEW(int32_t, pass);
    b->segs = NEW(AttnSegment, pass);
    b->h = NEW(float, (size_t)pass *(size_t)b->C);
    b->logits = NEW(float, (size_t)b->n_logit_rows *(size_t)b->V);
    b->drawn = NEW(Drawn, max_rows);
}

void batch_free(Batch *b)
{
    if (!b->m) return;
    for (int i = 0; i < b->max_rows; i++) buffer_free(&b->rows[i].text);
    if (b->kv.n_pages) kv_free(&b->kv);
    void *owned[] = {b->flights, b->rows, b->blocks, b->flight_h, b->token,  b->pos,
                     b->slot,    b->out,  b->segs,   b->h,        b->logits, b->drawn};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) mem_free(owned[i]);
    *b = (Batch){0};
}

void batch_reserve(Batch *b, int longest_prompt, int longest_answer, int n_pages)
{
    REQUIRE(!b->n_rows && !b->n_reserved, "%d rows are in flight", b->n_rows);
    if (n_pages > b->kv.n_pages) {
        if (b->kv.n_pages) kv_free(&b->kv);
        kv_init(&b->kv, b->m, model_desc(b->m)->L, n_pages);
    }
    int prompt = batch_pages(longest_prompt), answer = batch_answer_pages(longest_answer);
    if (prompt <= b->prompt_blocks && answer <= b->answer_blocks) return;
    if (prompt > b->prompt_blocks) b->prompt_blocks = prompt;
    if (answer > b->answer_blocks) b->answer_blocks = answer;
    size_t row = (size_t)(b->prompt_blocks + b->answer_blocks);
    size_t flights = (size_t)(b->max_rows + 1) * (size_t)b->prompt_blocks;
    mem_free(b->blocks);
    b->blocks = NEW(KvBlock, flights + (size_t)b->max_rows * row);
    for (int i = 0; i <= b->max_rows; i++)
        b->flights[i].blocks = b->blocks + (size_t)i * (size_t)b->prompt_blocks;
    for (int i = 0; i < b->max_rows; i++) b->rows[i].blocks = b->blocks + flights + (size_t)i * row;
}

bool batch_has_room(const Batch *b, int n_pages)
{
    return b->n_reserved + n_pages <= b->kv.n_pages;
}

static int take_page(Batch *b)
{
    int page = kv_take(&b->kv);
    REQUIRE(page >= 0, "%d of %d pages are reserved, yet none is free", b->n_reserved,
            b->kv.n_pages);
    return page;
}

Flight *batch_add_group(Batch *b, Group *g, const GenerateParams *p, int limit)
{
    int i = 0;
    while (i <= b->max_rows && b->flights[i].g) i++;
    REQUIRE(i <= b->max_rows, "more than %d groups in flight", b->max_rows + 1);
    Flight *f = &b->flights[i];
    KvBlock *blocks = f->blocks;
    *f = (Flight){
        .g = g, .p = p, .limit = limit, .blocks = blocks, .n_blocks = batch_pages(g->n_prompt)};
    f->h = b->flight_h + (size_t)i * (size_t)b->C;
    b->n_reserved += f->n_blocks;
    for (int j = 0; j < f->n_blocks; j++) blocks[j] = (KvBlock){take_page(b), KV_PAGE};
    blocks[f->n_blocks - 1].n = g->n_prompt - KV_PAGE * (f->n_blocks - 1);
    return f;
}

void batch_add_sample(Batch *b, Flight *f)
{
    REQUIRE(b->n_rows < b->max_rows, "all %d rows are taken", b->max_rows);
    Row *r = &b->rows[b->n_rows++];
    r->flight = f;
    r->sample = f->n_started++;
    r->s = &f->g->samples[r->sample];
    r->n_blocks = f->n_blocks;
    r->n_keys = f->g->n_prompt;
    memcpy(r->blocks, f->blocks, (size_t)f->n_blocks * sizeof *f->blocks);
    r->text.size = 0;
    sample_reserve(r->s, f->limit);
    mem_free(r->s->text_ends);
    r->s->text_ends = b->tok ? NEW(int32_t, f->limit) : NULL;
    r->s->n_tokens = 0;
    b->n_reserved += batch_answer_pages(f->limit);
}

/* ---- leaving --------------------------------------------------------------------------------- */

static void flight_end(Batch *b, Flight *f)
{
    Group *g = f->g;
    for (int j = 0; j < f->n_blocks; j++) kv_release(&b->kv, f->blocks[j].page);
    b->n_reserved -= f->n_blocks;
    f->g = NULL;
    if (b->done) b->done(b->ctx, g);
}

/* Row i ends; the last row takes its place. */
static void row_end(Batch *b, int i, FinishReason why, size_t text_size)
{
    Row ended = b->rows[i];
    Flight *f = ended.flight;
    ended.s->finish = why;
    for (int t = ended.s->n_tokens - 1; ended.s->text_ends && t >= 0; t--)
        if ((size_t)ended.s->text_ends[t] > text_size) ended.s->text_ends[t] = (int32_t)text_size;
    ended.s->text = mem_text_n(ended.text.data ? ended.text.data : "", text_size);
    for (int j = f->n_blocks; j < ended.n_blocks; j++) kv_release(&b->kv, ended.blocks[j].page);
    b->n_reserved -= batch_answer_pages(f->limit);
    b->rows[i] = b->rows[--b->n_rows];
    b->rows[b->n_rows] = ended; /* keeps its block list and text buffer for who comes next */
    if (++f->n_ended == f->g->n_samples) flight_end(b, f);
}

void batch_drop(Batch *b)
{
    for (int i = 0; i < b->n_rows; i++) {
        const Row *r = &b->rows[i];
        for (int j = r->flight->n_blocks; j < r->n_blocks; j++)
            kv_release(&b->kv, r->blocks[j].page);
    }
    for (int i = 0; i <= b->max_rows; i++) {
        Flight *f = &b->flights[i];
        for (int j = 0; f->g && j < f->n_blocks; j++) kv_release(&b->kv, f->blocks[j].page);
        f->g = NULL;
    }
    b->n_rows = b->n_reserved = 0;
}

static void row_append_text(const Batch *b, Row *r, int32_t id)
{
    size_t n;
    bool special;
    if (!b->tok || id >= tokenizer_size(b->tok))
        return; /* padding of the vocabulary has no bytes */
    const char *bytes = tokenizer_token(b->tok, id, &n, &special);
    if (!special) buffer_add(&r->text, bytes, n);
}

/* Row i has drawn a token: record it, and end the row if that was its last. */
static void row_take(Batch *b, int i, const Drawn *drawn)
{
    Row *r = &b->rows[i];
    Sample *s = r->s;
    const GenerateParams *p = r->flight->p;
    int t = s->n_tokens++;
    s->tokens[t] = drawn->token;
    s->logprobs[t] = drawn->logprob;
    s->logprobs_untempered[t] = drawn->logprob_untempered;
    s->logprobs_sampled[t] = drawn->logprob_sampled;
    s->versions[t] = b->version;
    size_t before = r->text.size, cut = 0;
    bool is_end = b->tok && tokenizer_is_eos(b->tok, drawn->token);
    if (!is_end) row_append_text(b, r, drawn->token);
    if (s->text_ends) s->text_ends[t] = (int32_t)r->text.size;
    if (is_end && !p->ignore_eos) {
        row_end(b, i, FINISH_EOS, before);
        return;
    }
    if (stops_find(p->stops, p->n_stops, r->text.data, r->text.size, before, &cut))
        row_end(b, i, FINISH_STOP, cut);
    else if (s->n_tokens == r->flight->limit)
        row_end(b, i, FINISH_LENGTH, r->text.size);
}

/* ---- computing ------------------------------------------------------------------------------- */

/* Draws for rows first .. end-1 from the logits in memory. */
static void rows_draw(Batch *b, int first, int end)
{
#pragma omp parallel for schedule(dynamic, 1) if (end - first > 1)
    for (int i = first; i < end; i++) {
        const Row *r = &b->rows[i];
        const GenerateParams *p = r->flight->p;
        float u = rng_uniform(p->seed, STREAM_SAMPLING, (uint64_t)r->flight->g->id,
                              (uint32_t)r->sample, (uint32_t)r->s->n_tokens);
        b->drawn[i] =
            op_sample(b->logits + (size_t)r->logit_row * (size_t)b->V, b->V, &p->sampling, u);
    }
}

/* Takes what rows first .. n_rows-1 have drawn; from the end, since an ending row is replaced by
 * the last. */
static void rows_take(Batch *b, int first)
{
    b->stats.decode_tokens += b->n_rows - first;
    for (int i = b->n_rows - 1; i >= first; i--) row_take(b, i, &b->drawn[i]);
}

void batch_join(Batch *b, int first)
{
    double start = clock_seconds();
    for (int i = first, end; i < b->n_rows; i = end) {
        int n = 0;
        for (end = i; end < b->n_rows; end++) {
            Row *r = &b->rows[end];
            if (end == i || r->flight != b->rows[end - 1].flight) {
                if (n == b->n_logit_rows) break;
                memcpy(b->h + (size_t)n++ * (size_t)b->C, r->flight->h,
                       (size_t)b->C * sizeof(float));
            }
            r->logit_row = n - 1;
        }
        model_logits(b->m, b->h, n, b->logits);
        rows_draw(b, i, end);
    }
    rows_take(b, first);
    b->stats.decode_s += clock_seconds() - start;
}

/* The pass's row i is the row's newest token; its key goes to the end of the row's own pages. */
static void row_feed(Batch *b, int i)
{
    Row *r = &b->rows[i];
    int t = r->s->n_tokens - 1;
    if (t % KV_PAGE == 0) r->blocks[r->n_blocks++] = (KvBlock){take_page(b), 0};
    KvBlock *own = &r->blocks[r->n_blocks - 1];
    b->token[i] = r->s->tokens[t];
    b->pos[i] = r->flight->g->n_prompt + t;
    b->slot[i] = own->page * KV_PAGE + own->n++;
    b->segs[i] = (AttnSegment){
        .row = i, .n_rows = 1, .n_keys = ++r->n_keys, .n_blocks = r->n_blocks, .blocks = r->blocks};
}

void batch_decode(Batch *b)
{
    double start = clock_seconds();
    int M = b->n_rows;
    for (int i = 0; i < M; i++) row_feed(b, i);
    Rows rows = {
        .M = M, .token = b->token, .pos = b->pos, .slot = b->slot, .segs = b->segs, .n_segs = M};
    model_forward(b->m, &b->kv, &rows, NULL, M, b->h);
    for (int i = 0; i < M; i += b->n_logit_rows) {
        int end = i + b->n_logit_rows < M ? i + b->n_logit_rows : M;
        model_logits(b->m, b->h + (size_t)i * (size_t)b->C, end - i, b->logits);
        for (int j = i; j < end; j++) b->rows[j].logit_row = j - i;
        rows_draw(b, i, end);
    }
    rows_take(b, 0);
    b->stats.decode_steps++;
    b->stats.decode_s += clock_seconds() - start;
}

/* Adds the next n tokens of the flight's prompt as rows M .. M+n-1 and segment n_segs. */
static void flight_feed(Batch *b, Flight *f, int M, int n_segs, int n)
{
    int from = f->n_prefilled, to = from + n, n_blocks = batch_pages(to);
    for (int i = 0; i < n; i++) {
        b->token[M + i] = f->g->prompt[from + i];
        b->pos[M + i] = from + i;
        b->slot[M + i] = f->blocks[(from + i) / KV_PAGE].page * KV_PAGE + (from + i) % KV_PAGE;
    }
    /* A pass may stop inside a page, which is then the context's last, partly filled block for this
     * pass. */
    for (int j = 0; j < n_blocks; j++) f->blocks[j].n = KV_PAGE;
    f->blocks[n_blocks - 1].n = to - KV_PAGE * (n_blocks - 1);
    b->segs[n_segs] = (AttnSegment){
        .row = M, .n_rows = n, .n_keys = to, .n_blocks = n_blocks, .blocks = f->blocks};
    f->n_prefilled = to;
}

void batch_prefill(Batch *b, Flight *const *flights, int n)
{
    double start = clock_seconds();
    for (int f = 0; f < n;) {
        int M = 0, n_segs = 0, n_out = 0, first = f;
        while (f < n && M < BATCH_PASS_ROWS) {
            Flight *flight = flights[f];
            int left = flight->g->n_prompt - flight->n_prefilled, room = BATCH_PASS_ROWS - M;
            int take = left < room ? left : room;
            flight_feed(b, flight, M, n_segs++, take);
            M += take;
            if (take < left) break;
            b->out[n_out++] = M - 1;
            f++;
        }
        Rows rows = {.M = M,
                     .token = b->token,
                     .pos = b->pos,
                     .slot = b->slot,
                     .segs = b->segs,
                     .n_segs = n_segs};
        model_forward(b->m, &b->kv, &rows, b->out, n_out, b->h);
        for (int i = 0; i < n_out; i++)
            memcpy(flights[first + i]->h, b->h + (size_t)i * (size_t)b->C,
                   (size_t)b->C * sizeof(float));
        b->stats.prefill_tokens += M;
    }
    b->stats.prefill_s += clock_seconds() - start;
}
