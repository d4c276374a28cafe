// Makes JSON text, parses it with simdjson in both of its interfaces, catches its exceptions.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "simdjson.h"

static std::string make_text(int count) {
    std::string text = "{\"people\":[";
    for (int i = 0; i < count; i++) {
        if (i)
            text += ',';
        text += "{\"id\":" + std::to_string(i) + ",\"name\":\"n\\u00e9" + std::to_string(i * 7919 % 1000) +
                "\",\"score\":" + std::to_string(i * 0.25) + ",\"tags\":[" + (i % 3 ? "\"a\",null" : "true") +
                "]}";
    }
    return text + "],\"end\":-9007199254740993}";
}

static void walk(simdjson::dom::element element, std::map<std::string, int> &types) {
    switch (element.type()) {
    case simdjson::dom::element_type::ARRAY:
        types["array"]++;
        for (auto child : element.get_array())
            walk(child, types);
        break;
    case simdjson::dom::element_type::OBJECT:
        types["object"]++;
        for (auto field : element.get_object())
            walk(field.value, types);
        break;
    case simdjson::dom::element_type::STRING:
        types["string"] += static_cast<int>(std::string_view(element).size());
        break;
    default:
        types["other"]++;
    }
}

int main(int argc, char **argv) {
    simdjson::padded_string text(make_text(argc > 1 ? atoi(argv[1]) : 20000));
    simdjson::dom::parser parser;
    std::map<std::string, int> types;
    simdjson::dom::element root = parser.parse(text);
    walk(root, types);
    for (auto &[type, count] : types)
        printf("%s: %d\n", type.c_str(), count);

    simdjson::ondemand::parser lazy;
    auto document = lazy.iterate(text);
    double sum = 0;
    for (simdjson::ondemand::object person : document["people"])
        sum += double(person["score"]);
    printf("sum of scores: %.2f, end: %lld\n", sum, static_cast<long long>(int64_t(root["end"])));
    printf("minified: %zu bytes\n", simdjson::minify(root).size());

    for (const char *bad : {"{\"a\":", "[1,]", "\"\\x\"", "nul", ""}) {
        try {
            simdjson::dom::element element = parser.parse(std::string(bad));
            printf("%s is %d\n", bad, int(element.type()));
        } catch (const simdjson::simdjson_error &error) {
            printf("%s: %s\n", bad, error.what());
        }
    }
    return 0;
}
