/* Compresses and decompresses generated data with zstd: argv[1] kilobytes, a few levels. */
#define ZSTD_STATIC_LINKING_ONLY
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../generate.h"
#include "zdict.h"
#include "zstd.h"

static int round_trip(const unsigned char *data, size_t length, int level, int workers) {
    size_t bound = ZSTD_compressBound(length);
    unsigned char *packed = malloc(bound), *again = malloc(length);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, workers);
    size_t packed_length = ZSTD_compress2(context, packed, bound, data, length);
    ZSTD_freeCCtx(context);
    size_t again_length = ZSTD_isError(packed_length)
                              ? packed_length
                              : ZSTD_decompress(again, length, packed, packed_length);
    int same = again_length == length && memcmp(data, again, length) == 0;
    printf("level %d, %d workers: %zu bytes, %016llx, %s\n", level, workers, packed_length,
           (unsigned long long)checksum(packed, packed_length),
           same ? "same" : ZSTD_getErrorName(again_length));
    free(packed);
    free(again);
    return same;
}

static void train(const unsigned char *data) {
    static size_t sizes[256];
    static unsigned char dictionary[4096];
    for (int i = 0; i < 256; i++)
        sizes[i] = 512;
    size_t length = ZDICT_trainFromBuffer(dictionary, sizeof dictionary, data, sizes, 256);
    printf("dictionary: %zu bytes\n", ZDICT_isError(length) ? 0 : length);
}

int main(int argc, char **argv) {
    size_t length = (size_t)(argc > 1 ? atoi(argv[1]) : 4096) << 10;
    unsigned char *data = malloc(length), out[64];
    generate(data, length);
    int good = round_trip(data, length, 1, 0) && round_trip(data, length, 3, 2) &&
               round_trip(data, length / 4, 12, 0) && round_trip(data, length / 16, 19, 0);
    if (length >= 256 * 512)
        train(data);
    size_t bad = ZSTD_decompress(out, sizeof out, "no frame here", 13);
    printf("bad data: %s\n", ZSTD_getErrorName(bad));
    free(data);
    return !good;
}
