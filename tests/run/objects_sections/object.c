#include "entry.h"

IN(entries) static struct entry first = {"object", 2, 0};
IN(entries) struct entry visible = {"object2", 3, &first};
IN(own_set) static int own[] = {7, 8};
IN(constants) static const int constant = 3;
static int one(void) { return 1; }
IN(functions) static function *pointer = one;

extern struct entry __start_entries[], __stop_entries[];
extern int __start_own_set[];
extern char __start_absent[] __attribute__((weak)), __stop_absent[] __attribute__((weak));
long count_in_object(void) {
    return visible.before == &first ? __stop_entries - __start_entries : -1;
}
int *own_in_object(void) { return __start_own_set; }
long absent_in_object(void) { return __stop_absent - __start_absent; }
