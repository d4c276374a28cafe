/* Compresses and decompresses generated data with zlib: argv[1] kilobytes, a few levels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../generate.h"
#include "zlib.h"

static int round_trip(const unsigned char *data, size_t length, int level) {
    uLongf packed_length = compressBound(length);
    unsigned char *packed = malloc(packed_length);
    unsigned char *again = malloc(length);
    uLongf again_length = length;
    int status = compress2(packed, &packed_length, data, length, level);
    if (status == Z_OK)
        status = uncompress(again, &again_length, packed, packed_length);
    int same = status == Z_OK && again_length == length && memcmp(data, again, length) == 0;
    printf("level %d: %lu bytes, %016llx, crc %08lx, adler %08lx, %s\n", level, packed_length,
           (unsigned long long)checksum(packed, packed_length), crc32(0, packed, packed_length),
           adler32(1, packed, packed_length), same ? "same" : zError(status));
    free(packed);
    free(again);
    return same;
}

/* In small pieces, through the streaming interface, with a dictionary. */
static int stream(const unsigned char *data, size_t length) {
    unsigned char out[777];
    size_t total = 0;
    z_stream z = {0};
    deflateInit2(&z, 6, Z_DEFLATED, -15, 9, Z_FILTERED);
    deflateSetDictionary(&z, (const Bytef *)"symbol linkage section", 22);
    z.next_in = (Bytef *)data;
    z.avail_in = (uInt)length;
    int status;
    do {
        z.next_out = out;
        z.avail_out = sizeof out;
        status = deflate(&z, Z_FINISH);
        total += sizeof out - z.avail_out;
    } while (status == Z_OK);
    deflateEnd(&z);
    printf("stream: %zu bytes, status %d\n", total, status);
    return status == Z_STREAM_END;
}

int main(int argc, char **argv) {
    size_t length = (size_t)(argc > 1 ? atoi(argv[1]) : 2048) << 10;
    unsigned char *data = malloc(length);
    generate(data, length);
    int good = round_trip(data, length, 1) && round_trip(data, length, 6) &&
               round_trip(data, length / 4, 9) && stream(data, length / 4);
    unsigned char bad[] = "not deflated";
    uLongf bad_length = length;
    printf("bad data: %s\n", zError(uncompress(data, &bad_length, bad, sizeof bad)));
    free(data);
    return !good;
}
