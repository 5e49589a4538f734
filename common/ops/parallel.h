/* When work is worth a second thread. Waking one costs some 10 us (idle threads sleep where ranks
 * share cores), in which a core does about this many simple operations on numbers in cache. */
#ifndef COMMON_OPS_PARALLEL_H
#define COMMON_OPS_PARALLEL_H

#define WORTH_THREADS 131072

#endif
