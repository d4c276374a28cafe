// about: a function's address is one for ever: before and after it is compiled, in every module
// > ok
#include <string.h>
#include "check.h"
#include "shared.h"

int shared(int x) { return x + 1; }
static int local(int x) { return x * 3; }

int_function *from_data = shared;
int_function *never_called(void);

int main(void) {
    int_function *volatile before = shared;
    int_function *volatile other_before = address_in_other();
    int_function *volatile local_before = local;
    CHECK(before != NULL && local_before != NULL && (void *)never_called != NULL);
    CHECK(before == other_before);
    CHECK(before == from_data && before == other_data);
    CHECK(before != local_before);

    CHECK(shared(1) == 2);
    CHECK(before(2) == 3 && other_before(3) == 4 && from_data(4) == 5 && other_data(5) == 6);
    CHECK(call_in_other(shared, 6) == 7);
    CHECK(call_in_other(local, 6) == 18);

    int_function *volatile after = shared;
    CHECK(after == before && address_in_other() == before && from_data == before);
    CHECK(local_before == local);
    CHECK(is_shared_in_other(before));

    // A libc function is the same one everywhere, too.
    CHECK((void *)length_in_other() == (void *)strlen);
    CHECK(length_in_other()("four") == 4);
    CHECK((void *)length_in_other() == (void *)strlen);

    // Many distinct functions have distinct addresses.
    for (int i = 0; i < table_size; i++)
        for (int j = 0; j < i; j++) CHECK(table[i] != table[j]);
    int sum = 0;
    for (int i = 0; i < table_size; i++) sum += table[i](i);
    CHECK(sum == 0 + 2 + 4 + 6);
    puts("ok");
}
