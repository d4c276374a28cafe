// Exported with their values, as some languages' runtime libraries have them.
__attribute__((section("own"), used)) static int records[] = {1, 2};
extern int __start_own[], __stop_own[];
int __start_records = 100, __stop_records[64];

int library_records(void) { return __stop_own - __start_own; }
