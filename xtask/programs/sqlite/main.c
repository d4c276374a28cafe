/* A small shell: runs the SQL of a file, or with -e that of the next argument, in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlite3.h"

static int print_row(void *unused, int count, char **values, char **names) {
    (void)unused;
    (void)names;
    for (int i = 0; i < count; i++)
        printf("%s%s", i ? "|" : "", values[i] ? values[i] : "NULL");
    putchar('\n');
    return 0;
}

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *text = calloc(1, 1 << 20);
    size_t length = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    text[length] = 0;
    return text;
}

/* A function written in C and called from SQL. */
static void triple(sqlite3_context *context, int count, sqlite3_value **values) {
    (void)count;
    sqlite3_result_int64(context, 3 * sqlite3_value_int64(values[0]));
}

int main(int argc, char **argv) {
    int is_text = argc > 2 && strcmp(argv[1], "-e") == 0;
    char *sql = is_text ? argv[2] : argc > 1 ? read_file(argv[1]) : NULL;
    if (!sql) {
        fprintf(stderr, "usage: %s FILE | -e SQL\n", argv[0]);
        return 2;
    }
    sqlite3 *db;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK)
        return 1;
    sqlite3_create_function(db, "triple", 1, SQLITE_UTF8, NULL, triple, NULL, NULL);
    char *error = NULL;
    int status = sqlite3_exec(db, sql, print_row, NULL, &error);
    if (error)
        printf("error: %s\n", error);
    sqlite3_close(db);
    return status == SQLITE_OK ? 0 : 1;
}
