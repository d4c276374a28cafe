// about: guaranteed tail calls, a million deep, direct, indirect and across first calls
// > ping-pong 1000000
// > states 500000 even, 500000 odd
// > sum 500000500000
#include <stdio.h>

#define TAIL __attribute__((musttail)) return

int pong(int left, int done);
int ping(int left, int done) {
    if (left == 0) return done;
    TAIL pong(left - 1, done + 1);
}
int pong(int left, int done) {
    if (left == 0) return done;
    TAIL ping(left - 1, done + 1);
}

typedef struct machine {
    long at, even, odd;
} machine;
typedef void state(machine *m);
static state even_state, odd_state, end_state;
static state *const states[] = {even_state, odd_state, end_state};

static void even_state(machine *m) {
    m->even++;
    state *volatile next = states[++m->at % 2];
    TAIL next(m);
}
static void odd_state(machine *m) {
    m->odd++;
    state *volatile next = states[++m->at < 1000000 ? 0 : 2];
    TAIL next(m);
}
static void end_state(machine *m) { printf("states %ld even, %ld odd\n", m->even, m->odd); }

long sum(long n, long so_far) {
    if (n == 0) return so_far;
    TAIL sum(n - 1, so_far + n);
}

int main(void) {
    printf("ping-pong %d\n", ping(1000000, 0));
    machine m = {0, 0, 0};
    even_state(&m);
    printf("sum %ld\n", sum(1000000, 0));
}
