int from_cpp() { return 2; }
