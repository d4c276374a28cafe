extern "C" void throw_int(int x) { throw x; }
