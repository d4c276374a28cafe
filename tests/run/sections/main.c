// about: sections of one name in two modules are one array between __start_ and __stop_
// > entries: main other other2, sum 6
// > functions 2, both called 1 2
// > kept apart 5, empty section 0
#include <stdio.h>
#include <string.h>

struct entry {
    const char *name;
    int number;
};
#define ENTRY(variable, name, number)                                                              \
    __attribute__((section("entries"), used)) static struct entry variable = {name, number}
ENTRY(mine, "main", 1);
extern struct entry __start_entries[], __stop_entries[];

typedef int function(void);
static int one(void) { return 1; }
__attribute__((section("functions"), used)) static function *pointer = one;
extern function *__start_functions[], *__stop_functions[];

__attribute__((section(".data.special"))) int special = 5;
__attribute__((section("code_section"), noinline)) int placed(int x) { return x + 1; }
extern char __start_absent[] __attribute__((weak)), __stop_absent[] __attribute__((weak));

int main(void) {
    int sum = 0, called[2] = {0};
    printf("entries:");
    for (struct entry *e = __start_entries; e < __stop_entries; e++) {
        printf(" %s", e->name);
        sum += e->number;
    }
    printf(", sum %d\n", sum);
    long count = __stop_functions - __start_functions;
    for (long i = 0; i < count; i++) called[i] = __start_functions[i]();
    printf("functions %ld, both called %d %d\n", count, called[0], called[1]);
    printf("kept apart %d, empty section %ld\n", placed(special - 1),
           (long)(__stop_absent - __start_absent));
}
