// about: virtual calls through single, multiple and virtual bases, thunks, covariant results
// > animal speaks: woof
// > left 1 right 2 bottom 3
// > thunk this ok
// > covariant ok
// > virtual base 42 42
// > destroyed: bottom right left
// > member pointers 5 woof
#include <cstdio>
#include <memory>
#include "check.h"

struct Animal {
    virtual ~Animal() = default;
    virtual const char *speak() const = 0;
    virtual Animal *self() { return this; }
    int legs() const { return 5; }
};
struct Dog : Animal {
    const char *speak() const override { return "woof"; }
};

struct Left {
    int l = 1;
    virtual ~Left() { std::printf(" left\n"); }
    virtual int left() { return l; }
};
struct Right {
    int r = 2;
    virtual ~Right() { std::printf(" right"); }
    virtual int right() { return r; }
    virtual Right *itself() { return this; }
};
struct Bottom : Left, Right {
    int b = 3;
    ~Bottom() override { std::printf("destroyed: bottom"); }
    int right() override { return r + b - 3; }
    int left() override { return l; }
    Bottom *itself() override { return this; }
};

struct Base {
    int value = 42;
    virtual int get() { return value; }
};
struct A : virtual Base {
    int a = 1;
};
struct B : virtual Base {
    int b = 2;
    int get() override { return value * b / 2; }
};
struct Diamond : A, B {
    int d = 3;
};

int main() {
    std::unique_ptr<Animal> dog = std::make_unique<Dog>();
    std::printf("animal speaks: %s\n", dog->speak());

    auto bottom = std::make_unique<Bottom>();
    Left *left = bottom.get();
    Right *right = bottom.get();
    std::printf("left %d right %d bottom %d\n", left->left(), right->right(), bottom->b);
    std::printf("thunk this %s\n",
                (void *)left != (void *)right && right->right() == 2 ? "ok" : "wrong");
    std::printf("covariant %s\n",
                right->itself() == right && bottom->itself() == bottom.get() ? "ok" : "wrong");

    Diamond diamond;
    Base &base = diamond;
    A &a = diamond;
    std::printf("virtual base %d %d\n", base.get(), a.get());
    std::unique_ptr<Right> owner(bottom.release());
    owner.reset();

    int (Animal::*legs)() const = &Animal::legs;
    const char *(Animal::*speak)() const = &Animal::speak;
    std::printf("member pointers %d %s\n", (*dog.*legs)(), ((*dog).*speak)());
}
