int say(const char *);
int main(void) { return say("from the archive"); }
