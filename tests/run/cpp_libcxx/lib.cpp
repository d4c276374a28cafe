#include <iostream>
#include <new>
#include <stdexcept>
#include <string>

struct LibraryError : std::runtime_error {
    using runtime_error::runtime_error;
};
void library_throw(bool is_own) {
    if (is_own) throw LibraryError("from the library");
    (void)std::string("a").at(3);
}
int library_catch(void (*throws)()) {
    try {
        throws();
    } catch (const std::logic_error &) {
        return 1;
    } catch (int number) {
        return number;
    } catch (const std::exception &) {
        return 2;
    }
    return 0;
}
std::new_handler library_handler() { return std::get_new_handler(); }
std::ostream &library_stream() { return std::cout; }
