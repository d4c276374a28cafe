// about: typeid and dynamic_cast agree over modules, also for templates and local types
// > ok
#include <typeindex>
#include <map>
#include <vector>
#include "check.h"
#include "shapes.h"

struct Triangle : Shape {
    const char *name() const override { return "triangle"; }
};

int main() {
    Shape *circle = make_circle();
    CHECK(dynamic_cast<Circle *>(circle) != nullptr);
    CHECK(dynamic_cast<Square *>(circle) == nullptr);
    CHECK(typeid(*circle) == typeid(Circle) && typeid(*circle) == circle_type());
    CHECK(typeid(Shape) != typeid(*circle));
    CHECK(&typeid(Holder<int>) == &holder_type());
    Triangle triangle;
    CHECK(!is_circle(&triangle) && is_circle(circle));
    CHECK(typeid(triangle).name() == std::string("8Triangle"));

    Both both;
    Colored *colored = &both;
    Shape *shape = dynamic_cast<Shape *>(colored);
    CHECK(shape == &both && dynamic_cast<void *>(colored) == &both);
    CHECK(dynamic_cast<Colored *>(shape) == colored);

    bool thrown = false;
    try {
        (void)dynamic_cast<Square &>(*circle);
    } catch (const std::bad_cast &) {
        thrown = true;
    }
    CHECK(thrown);
    std::map<std::type_index, int> counts;
    counts[typeid(*circle)]++;
    counts[circle_type()]++;
    CHECK(counts.size() == 1 && counts[typeid(Circle)] == 2);
    delete circle;
    puts("ok");
}
