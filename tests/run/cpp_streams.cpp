// about: iostreams: formatting, reading, string streams, locale facets, user-defined operators
// stdin: 12 3.5 words
// stdin: a whole line
// > read 12 3.5 words
// > line: a whole line
// > end of input 1
// > [   42][2a][052][+1.500e+00][true]
// > parsed 1,2,3 = 6
// > (3, 4)
// > bad conversion 1
// > exception: eof
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>

struct Point {
    int x, y;
};
static std::ostream &operator<<(std::ostream &out, const Point &p) {
    return out << '(' << p.x << ", " << p.y << ')';
}

int main() {
    int i;
    double d;
    std::string word, line;
    std::cin >> i >> d >> word >> std::ws;
    std::cout << "read " << i << ' ' << d << ' ' << word << std::endl;
    std::getline(std::cin, line);
    std::cout << "line: " << line << '\n';
    std::cout << "end of input " << !std::getline(std::cin, line) << '\n';
    std::cout << '[' << std::setw(5) << 42 << "][" << std::hex << 42 << "][" << std::oct
              << std::showbase << 42 << "][" << std::dec << std::scientific << std::setprecision(3)
              << std::showpos << 1.5 << "][" << std::boolalpha << true << "]\n"
              << std::noshowpos << std::noboolalpha;
    std::istringstream numbers("1,2,3");
    int sum = 0;
    for (char comma; numbers >> i; numbers >> comma) sum += i;
    std::cout << "parsed " << numbers.str() << " = " << sum << '\n';
    std::cout << Point{3, 4} << '\n';
    std::istringstream bad("x");
    bad >> i;
    std::cout << "bad conversion " << bad.fail() << '\n';
    std::istringstream empty("");
    empty.exceptions(std::ios::eofbit | std::ios::failbit);
    try {
        empty >> i;
    } catch (const std::ios_base::failure &) {
        std::cout << "exception: " << (empty.eof() ? "eof" : "other") << '\n';
    }
}
