// about: containers, algorithms, strings, regex, functions, smart pointers, chrono, random
// > words: and 1 brown 1 dog 1 fox 2 jumps 1 lazy 1 over 1 quick 1 the 3
// > regex: 2026-11-22 -> 22.11.2026
// > sorted 1 1 2 3 4 5 6 9
// > closure 15, function 30, bound 8
// > shared 2, weak expired 1
// > variant text, optional 5, tuple 1 x
// > mt19937 4123659995
// > string abcabc 3 abc
// > priority 9 6 5
// > pmr 499500
#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <memory_resource>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <regex>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

int main() {
    std::unordered_map<std::string, int> counts;
    std::istringstream text("the quick brown fox jumps over the lazy dog and the fox");
    for (std::string word; text >> word;) counts[word]++;
    std::map<std::string, int> ordered(counts.begin(), counts.end());
    std::printf("words:");
    for (auto &[word, count] : ordered) std::printf(" %s %d", word.c_str(), count);

    std::regex date(R"((\d{4})-(\d{2})-(\d{2}))");
    std::printf("\nregex: 2026-11-22 -> %s\n",
                std::regex_replace(std::string("2026-11-22"), date, "$3.$2.$1").c_str());

    std::vector<int> numbers = {3, 1, 4, 1, 5, 9, 2, 6};
    std::sort(numbers.begin(), numbers.end());
    std::printf("sorted");
    for (int n : numbers) std::printf(" %d", n);

    int base = 10;
    auto closure = [base](int x) { return base + x; };
    std::function<int(int)> function = [closure](int x) { return closure(x) * 2; };
    auto bound = std::bind(std::plus<int>(), std::placeholders::_1, 3);
    std::printf("\nclosure %d, function %d, bound %d\n", closure(5), function(5), bound(5));

    auto first = std::make_shared<int>(1);
    auto second = first;
    std::weak_ptr<int> weak = std::make_shared<int>(2);
    std::printf("shared %ld, weak expired %d\n", first.use_count(), weak.expired());

    std::variant<int, std::string> variant = "text";
    std::optional<int> optional = 5;
    auto [number, letter] = std::make_tuple(1, 'x');
    std::printf("variant %s, optional %d, tuple %d %c\n", std::get<std::string>(variant).c_str(),
                *optional, number, letter);

    std::mt19937 random;
    random.discard(9999);
    std::printf("mt19937 %u\n", (unsigned)random());

    std::string letters = "abc";
    letters += letters;
    std::printf("string %s %zu %s\n", letters.c_str(), letters.find("abc", 1),
                letters.substr(3).c_str());

    std::priority_queue<int> queue(std::less<int>(), numbers);
    std::printf("priority");
    for (int i = 0; i < 3; i++, queue.pop()) std::printf(" %d", queue.top());

    std::pmr::monotonic_buffer_resource pool;
    std::pmr::vector<int> pooled(1000, &pool);
    std::iota(pooled.begin(), pooled.end(), 0);
    std::printf("\npmr %d\n", std::accumulate(pooled.begin(), pooled.end(), 0));
}
