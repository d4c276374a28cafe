struct Shape {
    int size;
    explicit Shape(int size) : size(size) {}
    virtual ~Shape() {}
    virtual int area() const { return 0; }
    virtual const char *name() const = 0;
};
Shape *make_square(int size);
