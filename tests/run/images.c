// about: the program is the first of the images that dl_iterate_phdr lists, with its code and variables
// cflags: -O0
// cflags: -O2
// > image 0: function read and run, variable written, large variable written
// > another image: puts read and run
// > stopped with 3
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>

static int variable = 5;
static char large[32 << 20];
static void *library_function;

static int rights(struct dl_phdr_info *image, const void *address) {
    for (int i = 0; i < image->dlpi_phnum; ++i) {
        const ElfW(Phdr) *part = &image->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (ElfW(Addr))address - image->dlpi_addr - part->p_vaddr < part->p_memsz)
            return part->p_flags;
    }
    return 0;
}

static int visit(struct dl_phdr_info *image, size_t size, void *data) {
    int number = (*(int *)data)++;
    (void)size;
    if (rights(image, (void *)visit))
        printf("image %d: function%s, variable%s, large variable%s\n", number,
               rights(image, (void *)visit) == (PF_R | PF_X) ? " read and run" : "",
               rights(image, &variable) == (PF_R | PF_W) ? " written" : "",
               rights(image, &large[sizeof large - 1]) == (PF_R | PF_W) ? " written" : "");
    else if (rights(image, library_function) == (PF_R | PF_X))
        printf("another image: puts read and run\n");
    return 0;
}

static int stop(struct dl_phdr_info *image, size_t size, void *data) {
    (void)image, (void)size, (void)data;
    return 3;
}

int main(void) {
    int number = 0;
    variable += large[variable];
    library_function = dlsym(RTLD_DEFAULT, "puts");
    if (dl_iterate_phdr(visit, &number)) return 1;
    printf("stopped with %d\n", dl_iterate_phdr(stop, NULL));
    return 0;
}
