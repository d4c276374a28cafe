struct step {
    const char *name;
    void *place;
};
#define STEP __attribute__((section("steps"), used)) struct step

void *other_pick(int which);
