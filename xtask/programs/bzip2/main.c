/* Compresses and decompresses generated data with bzip2: argv[1] kilobytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../generate.h"
#include "bzlib.h"

void bz_internal_error(int code) {
    printf("internal error %d\n", code);
    exit(3);
}

static int round_trip(char *data, unsigned length, int blocks) {
    unsigned packed_length = length + length / 100 + 600, again_length = length;
    char *packed = malloc(packed_length), *again = malloc(length);
    int status = BZ2_bzBuffToBuffCompress(packed, &packed_length, data, length, blocks, 0, 30);
    if (status == BZ_OK)
        status = BZ2_bzBuffToBuffDecompress(again, &again_length, packed, packed_length, 0, 0);
    int same = status == BZ_OK && again_length == length && memcmp(data, again, length) == 0;
    printf("blocks of %d00 k: %u bytes, %016llx, %s\n", blocks, packed_length,
           (unsigned long long)checksum((unsigned char *)packed, packed_length),
           same ? "same" : "different");
    packed[packed_length / 2] ^= 1;
    again_length = length;
    status = BZ2_bzBuffToBuffDecompress(again, &again_length, packed, packed_length, 1, 0);
    printf("damaged: %d\n", status);
    free(packed);
    free(again);
    return same;
}

int main(int argc, char **argv) {
    unsigned length = (unsigned)(argc > 1 ? atoi(argv[1]) : 2048) << 10;
    char *data = malloc(length);
    generate((unsigned char *)data, length);
    int good = round_trip(data, length, 9) && round_trip(data, length / 2, 1);
    memset(data, 'a', length);
    good = good && round_trip(data, length, 5);
    free(data);
    return !good;
}
