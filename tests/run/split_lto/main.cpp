// about: bitcode files with two modules each, as they are for link-time optimization in two parts
// cflags: -O0 -flto=thin -fsplit-lto-unit
// cflags: -O2 -flto=thin -fsplit-lto-unit -fwhole-program-vtables -fvisibility=hidden
// cflags: -O1 -flto=thin -fsanitize=cfi -fvisibility=hidden
// native: no, it needs a linker for link-time optimization
// > Square 9, Circle 12, cast 1
#include "shape.h"
#include <cstdio>

struct Circle : Shape {
    using Shape::Shape;
    int area() const override { return 3 * size * size; }
    const char *name() const override { return "Circle"; }
};

int main() {
    Shape *first = make_square(3);
    Shape *second = new Circle(2);
    std::printf("%s %d, %s %d, cast %d\n", first->name(), first->area(), second->name(), second->area(),
                dynamic_cast<Circle *>(second) && !dynamic_cast<Circle *>(first));
    delete first;
    delete second;
}
