#pragma once
inline int &counter() {
    static int count = 0;
    return count;
}
inline int bump() { return ++counter(); }
template <typename T> struct Box {
    T value;
    explicit Box(T value) : value(value) {}
    T get() const { return value; }
    T plus(T other) const { return get() + other; }
};
int bump_in_other();
int boxed_in_other(int);
