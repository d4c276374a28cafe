#include <stdio.h>

extern int __start_records[] __attribute__((visibility("hidden")));
extern int __stop_records[] __attribute__((visibility("hidden")));

__attribute__((constructor)) static void registers(void) {
    for (int *record = __start_records; record < __stop_records; ++record) printf("registered %d\n", *record);
}
