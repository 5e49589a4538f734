/* A .safetensors file from anyone: what is accepted lies wholly in the file, and reading all of it
 * touches nothing else. */
#include <stdint.h>

#include "common/errors.h"
#include "common/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Tensor *t = NULL;
    int n = 0;
    errors_quiet(1);
    int rc = safetensors_parse("fuzz", data, size, &t, &n);
    for (int i = 0; !rc && i < n; i++) {
        size_t count = 1;
        for (int k = 0; k < t[i].n_dims; k++) count *= (size_t)t[i].dims[k];
        const uint8_t *at = t[i].data;
        REQUIRE(at >= data && at + dtype_bytes(t[i].dtype, count) <= data + size, "%s lies outside",
                t[i].name);
        float *x = NEW(float, count);
        tensor_read(&t[i], x);
        mem_free(x);
    }
    mem_free(t);
    errors_quiet(-1);
    return 0;
}
