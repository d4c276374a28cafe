#include "shapes.h"
Shape *make_circle() { return new Circle; }
bool is_circle(Shape *shape) { return dynamic_cast<Circle *>(shape) != nullptr; }
const std::type_info &circle_type() { return typeid(Circle); }
const std::type_info &holder_type() { return typeid(Holder<int>); }
