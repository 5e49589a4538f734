/* The KV pages: memory for keys and values, and who holds which page. A page is shared by counting:
 * a prompt's pages belong to every sample of its group. */
#include "common/errors.h"
#include "common/memory.h"
#include "common/model.h"
#include "common/model_impl.h"

static size_t page_layer_bytes(int Kh, int D, Dtype dtype)
{
    return dtype_bytes(dtype, (size_t)Kh * (size_t)D * KV_PAGE);
}

size_t kv_page_bytes(const ModelDesc *d, Precision p, int n_layers)
{
    Dtype dtype = p == PRECISION_BF16 ? DTYPE_BF16 : DTYPE_F32;
    return 2 * (size_t)n_layers * page_layer_bytes(d->Kh, d->D, dtype);
}

void kv_init(KvCache *kv, const Model *m, int n_layers, int n_pages)
{
    const ModelDesc *d = &m->d;
    REQUIRE(n_layers > 0 && n_pages > 0, "%d layers of %d pages", n_layers, n_pages);
    *kv = (KvCache){.n_layers = n_layers, .n_pages = n_pages, .Kh = d->Kh, .D = d->D};
    kv->dtype = model_wire_dtype(&m->k);
    size_t layers = (size_t)n_layers * (size_t)n_pages;
    kv->k = mem_zeroed(layers, page_layer_bytes(d->Kh, d->D, kv->dtype));
    kv->v = mem_zeroed(layers, page_layer_bytes(d->Kh, d->D, kv->dtype));
    kv->refs = NEW(int, n_pages);
    kv->free_pages = NEW(int, n_pages);
    for (int i = n_pages - 1; i >= 0; i--) kv->free_pages[kv->n_free++] = i; /* page 0 first */
}

void kv_free(KvCache *kv)
{
    mem_free(kv->k);
    mem_free(kv->v);
    mem_free(kv->refs);
    mem_free(kv->free_pages);
    *kv = (KvCache){0};
}

static size_t memory_bytes(const KvCache *kv)
{
    return (size_t)kv->n_layers * (size_t)kv->n_pages * page_layer_bytes(kv->Kh, kv->D, kv->dtype);
}

void kv_lend(KvCache *kv)
{
    REQUIRE(kv->n_free == kv->n_pages, "%d pages are taken", kv->n_pages - kv->n_free);
    size_t bytes = memory_bytes(kv);
    if (2 * bytes < MEM_LEND_LEAST) return;
    mem_lend(kv->k, bytes);
    mem_lend(kv->v, bytes);
}

KvLayer kv_layer(const KvCache *kv, int layer)
{
    REQUIRE(layer >= 0 && layer < kv->n_layers, "layer %d of %d", layer, kv->n_layers);
    size_t at = (size_t)layer * (size_t)kv->n_pages * page_layer_bytes(kv->Kh, kv->D, kv->dtype);
    return (KvLayer){kv->k + at, kv->v + at, kv->dtype, kv->Kh, kv->D};
}

int kv_take(KvCache *kv)
{
    if (!kv->n_free) return -1;
    int page = kv->free_pages[--kv->n_free];
    kv->refs[page] = 1;
    return page;
}

void kv_hold(KvCache *kv, int page)
{
    REQUIRE(page >= 0 && page < kv->n_pages && kv->refs[page] > 0, "page %d is not taken", page);
    kv->refs[page]++;
}

void kv_release(KvCache *kv, int page)
{
    REQUIRE(page >= 0 && page < kv->n_pages && kv->refs[page] > 0, "page %d is not taken", page);
    if (--kv->refs[page] == 0) kv->free_pages[kv->n_free++] = page;
}
