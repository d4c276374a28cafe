#pragma once
#include <typeinfo>
#include <string>
// No key functions: each module emits the vtables and type information of its own.
struct Shape {
    virtual ~Shape() {}
    virtual const char *name() const { return "shape"; }
};
struct Circle : Shape {
    const char *name() const override { return "circle"; }
};
struct Square : Shape {};
struct Colored {
    virtual ~Colored() {}
    int color = 3;
};
struct Both : Square, Colored {};
template <class T> struct Holder {
    virtual ~Holder() {}
    T value;
};
Shape *make_circle();
bool is_circle(Shape *shape);
const std::type_info &circle_type();
const std::type_info &holder_type();
