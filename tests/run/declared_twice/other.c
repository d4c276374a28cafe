extern struct {
    int a, b;
} as_struct __asm__("numbers");
long add(long a, long b) { return (int)a + (int)b; }
char *opaque(void) {
    static int seven = 7;
    return (char *)&seven + as_struct.a - 3;
}
