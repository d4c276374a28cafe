typedef int function(int);
static int twice(int x) { return x * 2; }
static int thrice(int x) { return x * 3; }
static volatile int want_twice = 1;
static function *resolve(void) { return want_twice ? twice : thrice; }
int chosen(int x) __attribute__((ifunc("resolve")));
static function *resolve_local(void) { return thrice; }
static int chosen_local(int x) __attribute__((ifunc("resolve_local")));

function *pointer_in_object = chosen, *local_pointer_in_object = chosen_local;
int call_in_object(int x) { return chosen(x); }
int call_local_in_object(int x) { return chosen_local(x); }
function *address_in_object(void) { return chosen; }
function *local_address_in_object(void) { return chosen_local; }
