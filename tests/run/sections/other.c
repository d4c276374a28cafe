struct entry {
    const char *name;
    int number;
};
__attribute__((section("entries"), used)) static struct entry first = {"other", 2},
                                                              second = {"other2", 3};
typedef int function(void);
static int two(void) { return 2; }
__attribute__((section("functions"), used)) static function *pointer = two;
