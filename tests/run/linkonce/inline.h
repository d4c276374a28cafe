#pragma once
inline int &counter() {
    static int count = 0;
    return count;
}
inline int next() { return ++counter(); }
inline int inline_variable = 7;
template <class T> T twice(T x) { return x + x; }
