#include <string.h>
#include "shared.h"

int_function *other_data = shared;

int_function *never_called(void) { return 0; }
int_function *address_in_other(void) { return shared; }
int is_shared_in_other(int_function *pointer) { return pointer == shared; }
int call_in_other(int_function *pointer, int x) { return pointer(x); }
size_t (*length_in_other(void))(const char *) { return strlen; }

static int zero(int x) { return x + 0; }
static int one(int x) { return x + 1; }
static int two(int x) { return x + 2; }
static int three(int x) { return x + 3; }
int_function *const table[] = {zero, one, two, three};
const int table_size = sizeof table / sizeof *table;
