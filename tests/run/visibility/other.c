#define VISIBILITY(v) __attribute__((visibility(v)))
VISIBILITY("hidden") int hidden_data = 2;
VISIBILITY("protected") int protected_data[4] = {1, 2, 3, 4};
VISIBILITY("hidden") int hidden_function(int x) { return x ? x + 1 : hidden_data; }
VISIBILITY("protected") int protected_function(int x) { return x + 2; }
VISIBILITY("hidden") int (*const hidden_table[])(int) = {hidden_function, protected_function};
