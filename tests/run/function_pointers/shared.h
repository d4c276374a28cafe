#pragma once
#include <stddef.h>
typedef int int_function(int);
int shared(int x);
int_function *address_in_other(void);
int is_shared_in_other(int_function *pointer);
int call_in_other(int_function *pointer, int x);
size_t (*length_in_other(void))(const char *);
extern int_function *other_data;
extern int_function *const table[];
extern const int table_size;
