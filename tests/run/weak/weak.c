#define WEAK __attribute__((weak))
WEAK const char *overridden(void) { return "weak"; }
WEAK const char *lone(void) { return "weak"; }
WEAK const char *two_weak(void) { return "weak.c"; }
WEAK int weak_data = 1;
WEAK int lone_data = 1;
const char *overridden_from_weak(void) { return overridden(); }
const char *(*const pointer_to_overridden)(void) = overridden;
