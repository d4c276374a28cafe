#include <stdio.h>

__attribute__((constructor)) static void start(void) { puts("other.c default"); }
__attribute__((constructor(150))) static void start150(void) { puts("other.c 150"); }
__attribute__((constructor(101))) static void start101(void) { puts("other.c 101"); }
__attribute__((destructor)) static void end(void) { puts("other.c destructor default"); }
__attribute__((destructor(150))) static void end150(void) { puts("other.c destructor 150"); }
__attribute__((destructor(101))) static void end101(void) { puts("other.c destructor 101"); }
