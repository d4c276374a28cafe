int second_data = 10;

static int twin(int x) { return x * 2; }

int second_add(int x, int y) { return twin(x) + y; }

int weakly_defined(int x) { return x + 100; }

int (*table[])(int, int) = {second_add};
