// C++ names, and frames of a library between the program's.
#include <algorithm>
#include <cstdio>
#include <vector>

namespace shapes {
struct Square {
    double side;
    virtual double area() const { return side * side; }
};
template <class T> T twice(T value) { return value + value; }
} // namespace shapes

int main() {
    std::vector<shapes::Square> list(3);
    list[2].side = 4;
    double largest = 0;
    for (auto &square : list)
        largest = std::max(largest, square.area());
    std::printf("%g %d\n", largest, shapes::twice(21));
}
