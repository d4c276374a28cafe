_Thread_local int from_library = 5;
int *address_in_library(void) { return &from_library; }
