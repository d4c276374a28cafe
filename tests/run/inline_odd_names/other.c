extern int name, other_name_of_data;
extern int absent(void) __attribute__((weak));
static int own_name __attribute__((used)) = 70;
__attribute__((noinline)) static int helper(int x) { return x * 20; }
int name_of_all(void) { return name; }
int assembly_there(void) {
    int value;
    __asm__("movl own_name(%%rip), %0" : "=r"(value));
    return value;
}
int helper_there(int x) { return helper(x); }
int absent_there(void) { return absent ? absent() : 0; }
int alias_there(void) { return ++other_name_of_data; }
