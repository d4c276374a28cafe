extern "C" int in_large(int x);
template <class T> static T identity(T x) { return x; }
extern "C" int in_debug(int x) { return identity(in_large(x)) + 1; }
