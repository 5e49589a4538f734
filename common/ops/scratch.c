/* Scratch memory of the ops: see scratch.h. A thread's blocks hang on a pthread key, whose
 * destructor frees them: OpenMP's threads end only when the number of threads changes, and tests
 * change it. */
#include "common/ops/scratch.h"

#include <pthread.h>

#include "common/errors.h"
#include "common/memory.h"

typedef struct {
    void *block[SCRATCH_COUNT];
    size_t size[SCRATCH_COUNT];
} Scratch;

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static __thread Scratch *mine;

static void scratch_free(void *p)
{
    Scratch *s = p;
    for (int i = 0; i < SCRATCH_COUNT; i++) mem_free(s->block[i]);
    mem_free(s);
}

static void key_create(void)
{
    REQUIRE(pthread_key_create(&key, scratch_free) == 0, "no thread keys left");
}

void *scratch_take(ScratchUse use, size_t bytes)
{
    if (!mine) {
        pthread_once(&once, key_create);
        mine = NEW(Scratch, 1);
        pthread_setspecific(key, mine);
    }
    if (mine->size[use] < bytes) {
        size_t size = bytes + bytes / 4;
        mem_free(mine->block[use]);
        mine->block[use] = mem_zeroed(size, 1);
        mine->size[use] = size;
    }
    return mine->block[use];
}
