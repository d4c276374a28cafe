int *pointer;
void point_at(int *place) { pointer = place; }
