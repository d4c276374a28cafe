// Solves a few SAT problems with CaDiCaL: pigeons in holes, random 3-SAT, one by assumptions.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "cadical.hpp"

using Clause = std::vector<int>;

struct Contradiction : std::logic_error {
    using logic_error::logic_error;
};

static std::vector<Clause> pigeons(int count) {
    std::vector<Clause> clauses;
    auto in = [&](int pigeon, int hole) { return pigeon * (count - 1) + hole + 1; };
    for (int pigeon = 0; pigeon < count; pigeon++) {
        Clause somewhere;
        for (int hole = 0; hole < count - 1; hole++)
            somewhere.push_back(in(pigeon, hole));
        clauses.push_back(somewhere);
    }
    for (int hole = 0; hole < count - 1; hole++)
        for (int a = 0; a < count; a++)
            for (int b = a + 1; b < count; b++)
                clauses.push_back({-in(a, hole), -in(b, hole)});
    return clauses;
}

static std::vector<Clause> random_clauses(int variables, int count, uint32_t state) {
    std::vector<Clause> clauses(count, Clause(3));
    for (auto &clause : clauses)
        for (int &literal : clause) {
            state = state * 1664525u + 1013904223u;
            int variable = static_cast<int>((state >> 10) % variables) + 1;
            literal = state >> 31 ? variable : -variable;
        }
    return clauses;
}

static void solve(const char *name, const std::vector<Clause> &clauses) {
    CaDiCaL::Solver solver;
    solver.set("quiet", 1);
    for (const auto &clause : clauses) {
        for (int literal : clause)
            solver.add(literal);
        solver.add(0);
    }
    int result = solver.solve();
    uint64_t hash = 0;
    if (result == 10)
        for (int v = 1; v <= solver.vars(); v++)
            hash = hash * 31 + (solver.val(v) > 0);
    printf("%s: %d, %d variables, model %016llx\n", name, result, solver.vars(),
           static_cast<unsigned long long>(hash));
    if (result != 10)
        return;
    solver.assume(-solver.val(1));
    if (solver.solve() == 20)
        throw Contradiction(name);
}

int main(int argc, char **argv) {
    try {
        if (argc > 1) {
            solve("pigeons", pigeons(atoi(argv[1])));
            return 0;
        }
        solve("7 pigeons", pigeons(7));
        solve("easy", random_clauses(200, 600, 1));
        solve("hard", random_clauses(150, 640, 2));
        solve("forced", {{1}, {-1, 2}, {-2, 3}});
    } catch (const Contradiction &error) {
        printf("contradiction in %s\n", error.what());
    }
    return 0;
}
