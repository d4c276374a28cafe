/* Data to compress, the same on every run: runs of words with some noise in between. */
#ifndef GENERATE_H
#define GENERATE_H

#include <stddef.h>
#include <stdint.h>

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void generate(unsigned char *bytes, size_t length) {
    static const char *const words[] = {"symbol ", "linkage ", "section ", "block ", "edge ",
                                        "fixup ", "stub ", "slot ", "site\n", "safepoint "};
    uint32_t state = 42;
    size_t at = 0;
    while (at < length) {
        uint32_t random = next_random(&state);
        if (random % 16 == 0) {
            bytes[at++] = (unsigned char)(random >> 8);
            continue;
        }
        for (const char *c = words[random % 10]; *c && at < length; c++)
            bytes[at++] = (unsigned char)*c;
    }
}

static uint64_t checksum(const unsigned char *bytes, size_t length) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

#endif
