/* A config.json from anyone. Whatever description comes of it passes its own check, and written and
 * read again it is the same. */
#include <stdint.h>
#include <string.h>

#include "common/errors.h"
#include "common/hf_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const ModelDesc *d)
{
    Buffer config = {0}, generation = {0};
    ModelDesc again;
    REQUIRE(!model_desc_check(d), "an accepted description is refused: %s", errors_last());
    hf_config_write(d, DTYPE_BF16, &config, &generation);
    REQUIRE(!hf_config_parse("again", config.data, config.size, &again),
            "its own text is refused: %s", errors_last());
    REQUIRE(!strcmp(d->architecture, again.architecture) && d->L == again.L && d->C == again.C &&
                d->H == again.H && d->Kh == again.Kh && d->D == again.D && d->F == again.F &&
                d->V == again.V && d->max_positions == again.max_positions &&
                d->rms_eps == again.rms_eps && d->rope_theta == again.rope_theta &&
                d->tied == again.tied && d->bos == again.bos && d->eos == again.eos,
            "another description comes back");
    buffer_free(&config);
    buffer_free(&generation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ModelDesc d;
    errors_quiet(1);
    if (!hf_config_parse("fuzz", (const char *)data, size, &d)) check_again(&d);
    if (!hf_config_parse_scalar("fuzz", (const char *)data, size, &d)) {
        REQUIRE(d.scalar && d.pad >= -1 && !model_desc_check(&d), "a head that cannot be: %s",
                errors_last());
        REQUIRE(hf_config_parse("fuzz", (const char *)data, size, &d), "both readers accept it");
    }
    errors_quiet(-1);
    return 0;
}
