#include "store/checksum.h"

#include <stdlib.h>
#include <xxhash.h>

/* The size of XXH3's state belongs to the library that is linked, hence the pointer. */
struct checksum {
    XXH3_state_t *state;
};

struct checksum *checksum_new(void)
{
    struct checksum *checksum = malloc(sizeof *checksum);
    if (checksum == NULL)
        return NULL;
    checksum->state = XXH3_createState();
    if (checksum->state == NULL) {
        free(checksum);
        return NULL;
    }
    checksum_reset(checksum);
    return checksum;
}

void checksum_free(struct checksum *checksum)
{
    if (checksum == NULL)
        return;
    XXH3_freeState(checksum->state);
    free(checksum);
}

void checksum_reset(struct checksum *checksum)
{
    XXH3_128bits_reset(checksum->state);
}

void checksum_add(struct checksum *checksum, const void *data, size_t size)
{
    if (size > 0)
        XXH3_128bits_update(checksum->state, data, size);
}

void checksum_digest(const struct checksum *checksum, unsigned char out[CHECKSUM_SIZE])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(checksum->state));
    for (int i = 0; i < CHECKSUM_SIZE; i++)
        out[i] = canonical.digest[i];
}
